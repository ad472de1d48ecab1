//! 128-bit and 256-bit arithmetic in compiled programs gives what the host's gives, on every kind of operand.

use arith_probe::{Case, Loop, Operation, calculation};
use litesvm::LiteSVM;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use solana_account::Account;
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_instruction::{AccountMeta, Instruction};
use solana_keypair::Keypair;
use solana_pubkey::Pubkey;
use solana_signer::Signer;
use solana_transaction::Transaction;

/// As many as one transaction's compute units are enough for.
const CASES_PER_TRANSACTION: usize = 600;
/// The same for loops of up to seven rounds.
const LOOPS_PER_TRANSACTION: usize = 80;
const RANDOM_CASES_PER_OPERATION: usize = 6_000;
const RANDOM_CASES_PER_LOOP: usize = 1_500;
const MAX_UNITS: u32 = 1_400_000;

/// The program on a virtual machine with the features that mainnet has.
struct Chain {
    vm: LiteSVM,
    payer: Keypair,
    program: Pubkey,
}

impl Chain {
    fn new() -> Self {
        let mut vm = LiteSVM::new().with_mainnet_features().with_log_bytes_limit(None);
        let (payer, program) = (Keypair::new(), Pubkey::new_unique());
        vm.airdrop(&payer.pubkey(), 1_000_000_000_000).expect("an airdrop on a fresh chain");
        vm.add_program_from_file(program, ballast_tests::compiled_program("arith_probe.so"))
            .expect("the chain accepts the program");
        Self { vm, payer, program }
    }

    /// Lets the program fill in the cases' results. Returns them with the compute units of each.
    fn run(&mut self, cases: &[Case]) -> Vec<(Case, u64)> {
        let account = Pubkey::new_unique();
        let data = bytemuck::cast_slice(cases).to_vec();
        let rent = self.vm.minimum_balance_for_rent_exemption(data.len());
        let holder = Account { lamports: rent, data, owner: self.program, executable: false, rent_epoch: u64::MAX };
        self.vm.set_account(account, holder).expect("the account fits");
        let instructions = [
            ComputeBudgetInstruction::set_compute_unit_limit(MAX_UNITS),
            Instruction::new_with_bytes(self.program, &[], vec![AccountMeta::new(account, false)]),
        ];
        let transaction = Transaction::new_signed_with_payer(
            &instructions,
            Some(&self.payer.pubkey()),
            &[&self.payer],
            self.vm.latest_blockhash(),
        );
        let logs = self.vm.send_transaction(transaction).expect("the program succeeds").logs;
        let data = self.vm.get_account(&account).expect("the account is still there").data;
        data.chunks_exact(size_of::<Case>()).map(bytemuck::pod_read_unaligned).zip(units(&logs)).collect()
    }
}

/// What the calculations cost, from the log lines before and after each, less what it costs to log.
fn units(logs: &[String]) -> impl Iterator<Item = u64> {
    const COST_OF_LOGGING: u64 = 100;
    let left: Vec<u64> = logs
        .iter()
        .filter_map(|line| line.strip_prefix("Program consumption: ")?.strip_suffix(" units remaining"))
        .map(|left| left.parse().expect("the log line has a number"))
        .collect();
    let costs: Vec<u64> = left.chunks_exact(2).map(|pair| pair[0] - pair[1] - COST_OF_LOGGING).collect();
    costs.into_iter()
}

fn case(operation: u64, (a, b, c): (u128, u128, u128)) -> Case {
    Case { a, b, c, operation, ..Case::default() }
}

fn on_host(case: Case) -> Case {
    let result = calculation(case.operation).expect("a known number")(case.a, case.b, case.c);
    Case { result: result.unwrap_or(0), has_result: result.is_some().into(), ..case }
}

/// Operands of every width, with runs of ones and zeros, where carries and quotient estimates go wrong.
fn operand() -> impl Strategy<Value = u128> {
    prop_oneof![
        any::<u128>(),
        (any::<u128>(), 0..128u32).prop_map(|(value, shift)| value >> shift),
        (0..128u32, 0..3u128).prop_map(|(shift, below)| (1u128 << shift).wrapping_sub(below)),
        (0..128u32, 0..128u32).prop_map(|(one, other)| (1u128 << one) | (1u128 << other)),
        (any::<u128>(), 0..128u32).prop_map(|(value, shift)| !(value >> shift)),
    ]
}

/// Every pair of numbers beside the limits of the types that operations are built from.
fn edge_operands() -> Vec<(u128, u128, u128)> {
    let edges: Vec<u128> = [0, 32, 63, 64, 96, 127]
        .iter()
        .flat_map(|shift| [-1i128, 0, 1].map(|by| (1u128 << shift).wrapping_add_signed(by)))
        .chain([u128::MAX, u128::MAX - 1])
        .collect();
    let pairs = edges.iter().flat_map(|a| edges.iter().map(move |b| (*a, *b)));
    pairs.map(|(a, b)| (a, b, a.rotate_left(64) ^ b)).collect()
}

#[test]
fn arithmetic_on_chain_agrees_with_the_host() {
    let mut chain = Chain::new();
    let mut random = TestRunner::deterministic();
    println!("{:<18} {:>6} {:>8} {:>8} {:>8}", "operation", "cases", "mean CU", "p95 CU", "max CU");
    let mut overhead = 0;
    for operation in Operation::ALL {
        let random_operands = (0..RANDOM_CASES_PER_OPERATION).map(|_| {
            let operands = (operand(), operand(), operand());
            operands.new_tree(&mut random).expect("a strategy without filters").current()
        });
        let cases: Vec<Case> = edge_operands()
            .into_iter()
            .chain(random_operands)
            .map(|operands| case(operation as u64, operands))
            .collect();
        let mut units = Vec::with_capacity(cases.len());
        for batch in cases.chunks(CASES_PER_TRANSACTION) {
            let answers = chain.run(batch);
            assert_eq!(answers.len(), batch.len(), "the program answers every case");
            for (asked, (answered, cost)) in batch.iter().zip(answers) {
                assert_eq!(answered, on_host(*asked), "{operation:?}");
                units.push(cost);
            }
        }
        units.sort_unstable();
        if operation == Operation::Nothing {
            overhead = units[0];
        }
        let net = |at: usize| units[at].saturating_sub(overhead);
        let mean = units.iter().sum::<u64>() / units.len() as u64 - overhead;
        let (p95, max) = (net(units.len() * 95 / 100), net(units.len() - 1));
        println!("{:<18} {:>6} {mean:>8} {p95:>8} {max:>8}", format!("{operation:?}"), units.len());
    }
}

#[test]
fn a_loop_with_an_operand_that_stays_the_same_agrees_with_the_host_also_where_that_is_zero() {
    let mut chain = Chain::new();
    let mut random = TestRunner::deterministic();
    let values: Vec<u128> =
        [0, 1, 2, 7, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63, u64::MAX.into(), 1 << 64, u128::MAX].into();
    for in_loop in Loop::ALL {
        let edges = values.iter().flat_map(|b| values.iter().flat_map(|c| [7, u128::MAX].map(|a| (a, *b, *c))));
        let random_operands = (0..RANDOM_CASES_PER_LOOP).map(|_| {
            let zero_or = || prop_oneof![1 => Just(0u128), 4 => operand()];
            let operands = (operand(), zero_or(), zero_or());
            operands.new_tree(&mut random).expect("a strategy without filters").current()
        });
        let cases: Vec<Case> = edges.chain(random_operands).map(|operands| case(in_loop as u64, operands)).collect();
        for batch in cases.chunks(LOOPS_PER_TRANSACTION) {
            let answers = chain.run(batch);
            assert_eq!(answers.len(), batch.len(), "the program answers every case");
            for (asked, (answered, _)) in batch.iter().zip(answers) {
                assert_eq!(answered, on_host(*asked), "{in_loop:?}");
            }
        }
    }
}
