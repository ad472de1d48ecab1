//! Listening to the virtual machine.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use litesvm::{InvocationInspectCallback, LiteSVM};
use solana_program_runtime::invoke_context::{Executable, InvokeContext, RegisterTrace};
use solana_pubkey::Pubkey;
use solana_transaction::sanitized::SanitizedTransaction;
use solana_transaction_context::{IndexOfAccount, instruction::InstructionContext};

/// The register that holds the number of the instruction.
const COUNTER: usize = 11;

/// What one run of a program went through.
#[derive(Clone)]
pub struct Invocation {
    /// The program.
    pub program: Pubkey,
    /// The numbers of the instructions, in order.
    pub counters: Vec<u32>,
}

/// Collects what programs go through while it is switched on.
#[derive(Clone, Default)]
pub struct Tracer {
    on: Arc<AtomicBool>,
    seen: Arc<Mutex<Vec<Invocation>>>,
}

impl Tracer {
    /// Listens to this machine, which has to be one that can be traced.
    pub fn listen(vm: &mut LiteSVM) -> Tracer {
        let tracer = Tracer::default();
        vm.set_invocation_inspect_callback(tracer.clone());
        tracer
    }

    /// Listens while something is done.
    pub fn trace<T>(&mut self, work: impl FnOnce() -> T) -> T {
        self.on.store(true, Ordering::SeqCst);
        let done = work();
        self.on.store(false, Ordering::SeqCst);
        done
    }

    /// What was heard.
    pub fn invocations(&self) -> Vec<Invocation> {
        self.seen.lock().map(|seen| seen.clone()).unwrap_or_default()
    }
}

impl InvocationInspectCallback for Tracer {
    fn before_invocation(
        &self,
        _: &LiteSVM,
        _: &SanitizedTransaction,
        _: &[IndexOfAccount],
        _: &mut InvokeContext,
        _: bool,
    ) {
    }

    fn after_invocation(
        &self,
        _: &LiteSVM,
        _: &SanitizedTransaction,
        _: &[IndexOfAccount],
        context: &InvokeContext,
        _: bool,
    ) {
        if !self.on.load(Ordering::SeqCst) {
            return;
        }
        context.iterate_vm_traces(&|instruction: InstructionContext, _: &Executable, trace: RegisterTrace| {
            let Ok(program) = instruction.get_program_key().copied() else { return };
            let counters =
                trace.iter().map(|registers| u32::try_from(registers[COUNTER]).unwrap_or(u32::MAX)).collect();
            if let Ok(mut seen) = self.seen.lock() {
                seen.push(Invocation { program, counters });
            }
        });
    }
}
