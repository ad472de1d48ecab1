//! SBPF instructions, as far as it takes to tell where functions begin.

/// Bytes of an instruction.
pub const WIDTH: usize = 8;
const CALL: u8 = 0x85;
const CALL_REGISTER: u8 = 0x8d;
const EXIT: u8 = 0x95;
const JUMP: u8 = 0x05;
const LOAD_WIDE: u8 = 0x18;

/// One instruction; a load of 64 bits is two.
#[derive(Clone, Copy, Debug)]
pub struct Op {
    code: u8,
    registers: u8,
    immediate: i32,
}

impl Op {
    /// All of a text.
    pub fn all(text: &[u8]) -> Vec<Op> {
        let op = |bytes: &[u8]| Op {
            code: bytes[0],
            registers: bytes[1],
            immediate: i32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]),
        };
        text.chunks_exact(WIDTH).map(op).collect()
    }

    /// Where an instruction at `at` calls, if it calls a function of the program.
    pub fn callee(self, at: usize) -> Option<usize> {
        let internal = self.code == CALL && self.registers >> 4 == 1;
        internal.then(|| at.wrapping_add_signed(self.immediate as isize + 1))
    }

    /// Whether it calls a function of the program, by number or by register.
    pub fn calls(self) -> bool {
        (self.code == CALL && self.registers >> 4 == 1) || self.code == CALL_REGISTER
    }

    /// Whether it returns.
    pub fn returns(self) -> bool {
        self.code == EXIT
    }

    /// The 64 bits that this loads, of which the next one holds the upper half, if it does.
    pub fn loaded(self, next: Op) -> Option<u64> {
        let bits = |op: Op| u64::from(u32::from_le_bytes(op.immediate.to_le_bytes()));
        (self.code == LOAD_WIDE).then(|| bits(next) << 32 | bits(self))
    }

    /// Whether nothing comes behind it: an end, a jump, or a call that may not return.
    pub fn ends(self) -> bool {
        matches!(self.code, EXIT | JUMP | CALL)
    }

    /// What does not change of it in linking.
    pub fn kind(self) -> (u8, u8) {
        (self.code, self.registers)
    }
}
