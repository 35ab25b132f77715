/**
 * Replaces node's `http` for undici, which reads a limit from it that the program sets itself, and asks whether a body is the
 * response of another server, which it never is here: loading node's module takes 5 ms.
 */
exports.maxHeaderSize = 16_384;
exports.IncomingMessage = function IncomingMessage() {};
