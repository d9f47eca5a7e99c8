'use strict';

// A connector for every ledger that a Freehold node serves, whichever engine lies behind it: one address,
// POST /actions, signed actions in, their outcomes out once they are durable and decided.
//
// A request names a lane. Actions of one lane keep their order, since a market's actions build on each other; lanes go
// side by side, each over a connection of its own. What waits in a lane while its last request is under way goes with
// the next one, up to `batch` actions. So latency, which Caliper counts from the moment of creation, contains the wait.

const http = require('http');
const { performance } = require('perf_hooks');
const { ConnectorBase, CaliperUtils, ConfigUtil, TxStatus } = require('@hyperledger/caliper-core');
const { frame, unframe } = require('./frames');

const ACCEPTED = Buffer.from('{"accepted"');

/** One connection, and the actions that wait for it. */
class Lane {
    /**
     * @param {string} url The node's.
     * @param {number} batch The most actions of one request.
     */
    constructor(url, batch) {
        this.url = new URL('/actions', url);
        this.batch = batch;
        this.agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
        this.waiting = [];
        this.busy = false;
    }

    /**
     * Sends an action after all that were given before.
     * @param {Buffer} action Signed.
     * @return {Promise<Buffer>} What the node says of it.
     */
    send(action) {
        return new Promise((resolve, reject) => {
            this.waiting.push({ action, resolve, reject });
            this.next();
        });
    }

    /** Sends what waits, unless something is under way. */
    async next() {
        if (this.busy || this.waiting.length === 0) {
            return;
        }
        this.busy = true;
        const some = this.waiting.splice(0, this.batch);
        try {
            const answers = unframe(await this.post(frame(some.map((each) => each.action))));
            if (answers.length !== some.length) {
                throw new Error(`${answers.length} answers to ${some.length} actions`);
            }
            some.forEach((each, place) => each.resolve(answers[place]));
        } catch (error) {
            some.forEach((each) => each.reject(error));
        }
        this.busy = false;
        this.next();
    }

    /**
     * One request.
     * @param {Buffer} body Actions in frames.
     * @return {Promise<Buffer>} Answers in frames.
     */
    post(body) {
        return new Promise((resolve, reject) => {
            const options = { method: 'POST', agent: this.agent, headers: { 'Content-Length': body.length } };
            const request = http.request(this.url, options, (response) => {
                const parts = [];
                response.on('data', (part) => parts.push(part));
                response.on('error', reject);
                response.on('end', () => {
                    const data = Buffer.concat(parts);
                    if (response.statusCode === 200) {
                        resolve(data);
                    } else {
                        reject(new Error(`${response.statusCode}: ${data.toString('utf8', 0, 300)}`));
                    }
                });
            });
            request.on('error', reject);
            request.end(body);
        });
    }
}

/** Speaks with the nodes of a network. */
class FreeholdConnector extends ConnectorBase {
    /** @param {number} workerIndex The worker's number, -1 in the manager. */
    constructor(workerIndex) {
        super(workerIndex, 'freehold');
        const file = CaliperUtils.resolvePath(ConfigUtil.get(ConfigUtil.keys.NetworkConfig));
        const network = CaliperUtils.parseYaml(file).freehold;
        // The runner starts nodes on ports that are free, so it says where they are.
        this.urls = process.env.FREEHOLD_URLS ? process.env.FREEHOLD_URLS.split(',') : network.nodes;
        this.lanes = new Map();
        this.refusals = 0;
    }

    /** Nodes are started, and networks founded, by their operators. */
    async init() {}

    /** The rules are part of the node. */
    async installSmartContract() {}

    /**
     * What a workload module gets.
     * @return {Promise<object>} Where a lane's latencies are noted.
     */
    async getContext() {
        return { connector: this };
    }

    /** Connections stay for the next round. */
    async releaseContext() {}

    /**
     * Sends one action.
     * @param {{lane: number, batch: number, action: Buffer, name: string}} request The action and its lane.
     * @return {Promise<TxStatus>} Whether it was accepted, and how long it took.
     */
    async _sendSingleRequest(request) {
        const status = new TxStatus();
        const began = performance.now();
        try {
            const answer = await this.lane(request).send(request.action);
            if (answer.subarray(0, ACCEPTED.length).equals(ACCEPTED)) {
                status.SetStatusSuccess();
            } else {
                this.fails(status, `${request.name}: ${answer.toString('utf8', 0, 300)}`);
            }
        } catch (error) {
            this.fails(status, `${request.name}: ${error.message}`);
        }
        status.Set('milliseconds', performance.now() - began);
        return status;
    }

    /**
     * The lane of a request; lanes are spread over the nodes.
     * @param {{lane: number, batch: number}} request Any.
     * @return {Lane} Kept for all requests that name it.
     */
    lane({ lane, batch }) {
        const name = `${lane}/${batch}`;
        if (!this.lanes.has(name)) {
            this.lanes.set(name, new Lane(this.urls[lane % this.urls.length], batch));
        }
        return this.lanes.get(name);
    }

    /**
     * Notes a failure, and tells the first few.
     * @param {TxStatus} status Of the action.
     * @param {string} why The node's words.
     */
    fails(status, why) {
        status.SetStatusFail();
        status.SetErrMsg(0, why);
        if (++this.refusals <= 5) {
            CaliperUtils.getLogger('freehold').error(why);
        }
    }
}

/**
 * What Caliper asks a connector's module for.
 * @param {number} workerIndex The worker's number, -1 in the manager.
 * @return {Promise<ConnectorBase>} The connector.
 */
async function ConnectorFactory(workerIndex) {
    return new FreeholdConnector(workerIndex);
}

module.exports = { ConnectorFactory };
