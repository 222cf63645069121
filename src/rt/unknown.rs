//! Stands in for the file of an architecture that has none, so that its lack is the
//! one error.

compile_error!(
    "oomexec does not know this architecture yet: add src/rt/<arch>.rs and \
     src/sys/syscall/<arch>.rs, and list each in the mod.rs beside it"
);
