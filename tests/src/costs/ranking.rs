//! The ranking index by itself: positions join and leave a full grid, in the probe program.

use ballast_client::units::{BPS, Lots, Price, Side};
use ballast_rank::{Index, Membership};
use rank_probe::Step;
use solana_account::{Account, ReadableAccount};
use solana_compute_budget_interface::ComputeBudgetInstruction;
use solana_instruction::{AccountMeta, Instruction};
use solana_pubkey::Pubkey;
use solana_signer::Signer;

use super::{
    Cost, Extent,
    crowd::MARK,
    population::{Position, solvent},
    samples::Samples,
};
use crate::{
    compiled_program,
    harness::{Chain, Expect, Lite, fresh_keypair},
};

/// Positions of the side.
const MEMBERS: usize = 20_000;
/// Cells of the pool.
const CELLS: u32 = 16_384;
/// The mark, after a fall that puts most shorts into profit.
const MARK_NOW: Price = Price(MARK * 85 / 100);
const SIDE: Side = Side::Short;
/// Funding indices when positions joined, and now.
const FUNDING_THEN: i64 = 5_000_000;
const FUNDING_NOW: i64 = 9_000_000;
/// Share of the open interest that a deleveraging takes between joining and leaving.
const DELEVERAGED_BPS: u64 = 500;
/// Positions of each kind that are measured; all in one transaction.
const SAMPLES: usize = 400;

/// Joining a grid of 20,000 positions, leaving it, and leaving it after a deleveraging took part of the position's cell, or
/// all of it.
pub(super) fn ranking(_: Extent) -> Vec<Cost> {
    let mut probe = Probe::new();
    let mut slab = vec![0u64; ballast_rank::space(CELLS) / 8];
    let mut index = Index::init(bytemuck::cast_slice_mut(&mut slab)).expect("a zeroed slab");
    let members: Vec<Membership> = positions(MEMBERS, 11).map(|position| join(&mut index, &position)).collect();

    let newcomers = positions(SAMPLES, 12).map(|position| step_of(&position)).collect();
    let (joined, joining) = probe.run(&mut slab, newcomers);
    let leave = |membership: &Membership| Step {
        operation: Step::LEAVE,
        side: 1,
        funding: FUNDING_NOW,
        dust_price: MARK_NOW.0,
        membership: *membership,
        ..Step::default()
    };
    let (_, leaving) = probe.run(&mut slab, joined.iter().map(|step| leave(&step.membership)).collect());

    let mut index = Index::load(bytemuck::cast_slice_mut(&mut slab)).expect("the slab");
    let lots = Lots(index.open_interest(SIDE).0 * DELEVERAGED_BPS / BPS);
    index.deleverage(SIDE, lots, MARK_NOW, MARK_NOW, FUNDING_NOW, u32::MAX, |_| ()).expect("deleveraging");
    let left = |membership: &&Membership| {
        let holding = index.peek(SIDE, membership, FUNDING_NOW, MARK_NOW).expect("a member");
        (holding.taken, holding.lots)
    };
    let whole = members.iter().filter(|member| left(member).1.is_zero()).take(SAMPLES).map(leave).collect::<Vec<_>>();
    let in_part = |member: &&Membership| {
        let (taken, left) = left(member);
        !taken.is_zero() && !left.is_zero()
    };
    let part = members.iter().filter(in_part).take(SAMPLES).map(leave).collect::<Vec<_>>();
    let [(_, taken_whole), (_, taken_in_part)] = [whole, part].map(|steps| probe.run(&mut slab, steps));

    let mut costs = Vec::new();
    for (name, units) in [
        ("position joins the index of 20,000", joining),
        ("position leaves the index", leaving),
        ("position leaves after deleveraging took it whole", taken_whole),
        ("position leaves after deleveraging took a part", taken_in_part),
    ] {
        costs.extend(Samples::from_iter(units).rows(name, 600));
    }
    costs
}

fn positions(count: usize, seed: u64) -> impl Iterator<Item = Position> {
    solvent(SIDE, Price(MARK), MARK_NOW, count, seed).into_iter()
}

fn step_of(position: &Position) -> Step {
    Step {
        operation: Step::JOIN,
        side: 1,
        entry: position.entry,
        beta: position.bankruptcy,
        lots: position.lots,
        funding: FUNDING_THEN,
        ..Step::default()
    }
}

fn join(index: &mut Index, position: &Position) -> Membership {
    let mut step = step_of(position);
    step.apply(index).expect("room");
    step.membership
}

/// The probe program on a chain.
struct Probe {
    chain: Lite,
    program: Pubkey,
    /// What a step that does nothing costs.
    overhead: u64,
}

impl Probe {
    fn new() -> Probe {
        let (mut chain, program) = (Lite::new(), fresh_keypair().pubkey());
        let added = chain.vm().add_program_from_file(program, compiled_program("rank_probe.so"));
        added.expect("the chain accepts the program");
        let mut probe = Probe { chain, program, overhead: 0 };
        let mut slab = vec![0u64; ballast_rank::space(1) / 8];
        Index::init(bytemuck::cast_slice_mut(&mut slab)).expect("a zeroed slab");
        let (_, units) = probe.run(&mut slab, vec![Step::default(); 16]);
        probe.overhead = Samples::from_iter(units).median();
        probe
    }

    /// Carries steps out on the chain and on `slab`, which must agree. Gives the steps with their results, and the compute
    /// units of each.
    fn run(&mut self, slab: &mut [u64], mut steps: Vec<Step>) -> (Vec<Step>, Vec<u64>) {
        let accounts = [bytemuck::cast_slice(slab).to_vec(), bytemuck::cast_slice(&steps).to_vec()];
        let keys = accounts.map(|data| self.account(data));
        let metas = keys.map(|key| AccountMeta::new(key, false)).to_vec();
        let instructions = [
            ComputeBudgetInstruction::set_compute_unit_limit(1_400_000),
            Instruction::new_with_bytes(self.program, &[], metas),
        ];
        let payer = self.chain.payer();
        let receipt = self.chain.send(&instructions, &[&payer]).succeeds();

        let mut index = Index::load(bytemuck::cast_slice_mut(slab)).expect("the slab");
        for step in &mut steps {
            step.apply(&mut index).expect("the chain did it too");
        }
        let on_chain = keys.map(|key| self.chain.account(&key).expect("it was written"));
        assert!(on_chain[0].data() == bytemuck::cast_slice::<_, u8>(slab), "chain and host leave the same index");
        assert!(on_chain[1].data() == bytemuck::cast_slice::<_, u8>(&steps), "and have the same results");
        (steps, self.units(&receipt.logs))
    }

    /// A new account of the program.
    fn account(&mut self, data: Vec<u8>) -> Pubkey {
        let (key, lamports) = (fresh_keypair().pubkey(), self.chain.rent(data.len()));
        let account = Account { lamports, data, owner: self.program, executable: false, rent_epoch: u64::MAX };
        self.chain.put_account(key, account);
        key
    }

    /// What the steps cost, from the log lines before and after each.
    fn units(&self, logs: &[String]) -> Vec<u64> {
        let left = logs
            .iter()
            .filter_map(|line| line.strip_prefix("Program consumption: ")?.strip_suffix(" units remaining"))
            .map(|left| left.parse().expect("the line has a number"))
            .collect::<Vec<u64>>();
        left.chunks_exact(2).map(|pair| pair[0] - pair[1] - self.overhead).collect()
    }
}
