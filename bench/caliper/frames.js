'use strict';

const LENGTH = 4;

/**
 * Byte strings as frames: each as its length, u32 big-endian, and its bytes (as `freehold.ledger.frames`).
 * @param {Buffer[]} parts What is to travel together.
 * @return {Buffer} All of it.
 */
function frame(parts) {
    return Buffer.concat(parts.flatMap((part) => {
        const length = Buffer.alloc(LENGTH);
        length.writeUInt32BE(part.length);
        return [length, part];
    }));
}

/**
 * What lies in frames.
 * @param {Buffer} data Frames and nothing else.
 * @return {Buffer[]} The parts, in their order.
 */
function unframe(data) {
    const parts = [];
    let at = 0;
    while (at < data.length) {
        const end = at + LENGTH + data.readUInt32BE(at);
        if (end > data.length) {
            throw new Error('the last frame is cut off');
        }
        parts.push(data.subarray(at + LENGTH, end));
        at = end;
    }
    return parts;
}

module.exports = { frame, unframe };
