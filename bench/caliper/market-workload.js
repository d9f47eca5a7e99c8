'use strict';

// The one workload module for every engine. What it sends was signed beforehand (generate.py): a file of lanes, each a
// list of actions in the order in which they are to be recorded. Nothing here knows a key or a rule.

const fs = require('fs');
const path = require('path');
const { WorkloadModuleBase } = require('@hyperledger/caliper-core');
const { unframe } = require('./frames');

/** Sends the lanes of one file that are this worker's, by turns. */
class MarketWorkload extends WorkloadModuleBase {
    /**
     * Reads the file. Arguments: `file`; `batch`, the most actions of one request; `latencies`, a folder for what
     * Caliper's report rounds to hundredths of a second.
     */
    async initializeWorkloadModule(workerIndex, totalWorkers, roundIndex, roundArguments, sutAdapter, sutContext) {
        await super.initializeWorkloadModule(
            workerIndex, totalWorkers, roundIndex, roundArguments, sutAdapter, sutContext);
        const lanes = unframe(fs.readFileSync(roundArguments.file)).map((lane) => unframe(lane));
        const own = lanes
            .map((actions, lane) => ({ lane, actions }))
            .filter(({ lane }) => lane % totalWorkers === workerIndex);
        const longest = Math.max(0, ...own.map(({ actions }) => actions.length));
        this.requests = [];
        for (let place = 0; place < longest; place++) {
            for (const { lane, actions } of own) {
                if (place < actions.length) {
                    this.requests.push({
                        lane, action: actions[place], batch: roundArguments.batch, name: roundArguments.name });
                }
            }
        }
        this.sent = 0;
        this.milliseconds = [];
    }

    /** Sends the next action. */
    async submitTransaction() {
        const request = this.requests[this.sent++];
        if (request === undefined) {
            throw new Error(`worker ${this.workerIndex} has no action left: txNumber and file do not fit`);
        }
        const status = await this.sutAdapter.sendRequests(request);
        this.milliseconds.push(status.Get('milliseconds'));
    }

    /** Leaves the latencies where the runner finds them. */
    async cleanupWorkloadModule() {
        const name = `${this.roundIndex}-${this.workerIndex}.json`;
        fs.writeFileSync(path.join(this.roundArguments.latencies, name), JSON.stringify(this.milliseconds));
    }
}

/** @return {WorkloadModuleBase} What Caliper asks a workload's module for. */
function createWorkloadModule() {
    return new MarketWorkload();
}

module.exports = { createWorkloadModule };
