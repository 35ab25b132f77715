/**
 * Stands in for node's `http` inside of undici, which takes a limit from it that this program gives, and asks whether a body is the answer
 * of another server, which here it never is: node's module costs 5 ms.
 */
exports.maxHeaderSize = 16_384;
exports.IncomingMessage = function IncomingMessage() {};
