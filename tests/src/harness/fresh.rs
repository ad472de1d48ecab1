//! Keys that nobody had before, the same in every run: a test's history repeats itself exactly.

use std::cell::Cell;

use solana_keypair::Keypair;

thread_local! {
    static BORN: Cell<u64> = const { Cell::new(0) };
}

/// A new key pair. Each thread has its own row of them, and every test its own thread.
pub fn fresh_keypair() -> Keypair {
    let number = BORN.replace(BORN.get() + 1);
    let mut seed = [0x5a; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    Keypair::new_from_array(seed)
}

/// Leaves out the keys that other runs may have given away, for a world that goes on where one of them ended.
pub(super) fn skip_known_keys() {
    BORN.set(BORN.get().max(1 << 32));
}
