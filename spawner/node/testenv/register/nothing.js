// Is imported in place of register.js, for a Node that starts its children itself.
