//! What only the compiled program has: its entry point and its memory.

mod entrypoint;
pub(crate) mod heap;
