// Another script for the same Node.
process.argv[2] = "tool";
await import("./gateway.js");
