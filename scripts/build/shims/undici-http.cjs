/**
 * Replaces node's `http` for undici, which reads from it a limit that the program sets itself, and
 * checks whether a body is an `IncomingMessage`, which it never is here. Loading node's module
 * takes 5 ms.
 */
exports.maxHeaderSize = 16_384;
exports.IncomingMessage = function IncomingMessage() {};
