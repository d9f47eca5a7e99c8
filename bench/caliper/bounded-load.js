'use strict';

// As many unanswered actions as `unanswered` says, and never more: as members who wait for their answers. Caliper's own
// fixed-load sleeps for as long as it believes that an excess will take, which in short rounds is most of the round.

/** One worker's share of the load. */
class BoundedLoad {
    /**
     * @param {object} testMessage Caliper's, with `unanswered` among the options of the rate control.
     * @param {object} stats What this worker has sent so far, and what of it was answered.
     */
    constructor(testMessage, stats) {
        this.stats = stats;
        this.most = testMessage.getRateControlSpec().opts.unanswered / testMessage.getWorkersNumber();
    }

    /** Waits until there is room for one more. */
    async applyRateControl() {
        while (this.stats.getTotalSubmittedTx() - this.stats.getTotalFinishedTx() >= this.most) {
            await new Promise((resolve) => setTimeout(resolve, 1));
        }
    }

    /** Nothing is left to do at the end of a round. */
    async end() {}
}

/**
 * What Caliper asks a rate controller's module for.
 * @param {object} testMessage Caliper's.
 * @param {object} stats The worker's.
 * @return {BoundedLoad} The controller.
 */
function createRateController(testMessage, stats) {
    return new BoundedLoad(testMessage, stats);
}

module.exports = { createRateController };
