// Starts children for a gateway that tells it to, over an IPC channel.
process.argv[2] = "broker";
await import("./gateway.js");
