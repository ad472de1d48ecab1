//! Deploying and upgrading the program through the upgradeable loader.
//!
//! The bytes go into a buffer account first, chunk by chunk, many transactions at once; which chunks are missing is read
//! back from the buffer, so that lost transactions are sent again and an interrupted deployment goes on where it was. The
//! buffer's address is derived from the upgrade authority. Then one instruction makes the buffer the program.

use ballast_client::addresses::PROGRAM_ID;
use solana_account::Account;
use solana_instruction::Instruction;
use solana_loader_v3_interface::{get_program_data_address, instruction as loader, state::UpgradeableLoaderState};
use solana_pubkey::Pubkey;
use solana_sdk_ids::bpf_loader_upgradeable::ID as LOADER;
use solana_system_interface::instruction as system;

use crate::{
    cluster::Found,
    plan::{Action, PlanError, Step},
    roles::Roles,
};

/// The loader's own bytes before a buffer's contents.
pub const BUFFER_HEADER: usize = UpgradeableLoaderState::size_of_buffer_metadata();
/// The loader's own bytes before a deployed program's.
pub const DATA_HEADER: usize = UpgradeableLoaderState::size_of_programdata_metadata();
/// The loader extends by no less than this.
const MIN_EXTENSION: usize = 10_240;
/// Seed of the buffer's address.
const BUFFER_SEED: &str = "ballast buffer";

/// Why a program cannot be deployed or upgraded.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// Its address is taken.
    #[error("{PROGRAM_ID} is not a program of the upgradeable loader; its owner is {0}")]
    Owner(Pubkey),
    /// It can never be changed.
    #[error("the program {PROGRAM_ID} has no upgrade authority: it can never be changed")]
    Final,
    /// Somebody else may upgrade it.
    #[error("the program's upgrade authority is {found}; the key that was given is {given}")]
    Authority {
        /// On chain.
        found: Pubkey,
        /// The key.
        given: Pubkey,
    },
    /// The first deployment needs the program's own key.
    #[error("the program is deployed for the first time, which its own key has to sign: say --program-keypair FILE")]
    NoKey,
    /// The key is not the program's.
    #[error("the program keypair is that of {0}; the program was compiled as {PROGRAM_ID}")]
    WrongKey(Pubkey),
    /// The file is no program.
    #[error("the program file is not an ELF file")]
    NotElf,
}

/// The program as a cluster has it.
#[derive(Clone, Debug, Default)]
pub struct Deployed {
    /// Who owns the program's account; `None` when there is none.
    pub owner: Option<Pubkey>,
    /// The program's data account.
    pub data: Option<Vec<u8>>,
}

impl Deployed {
    /// From the program's two accounts.
    pub fn of(program: Option<Account>, data: Option<Account>) -> Deployed {
        Deployed { owner: program.map(|program| program.owner), data: data.map(|data| data.data) }
    }

    /// Bytes of code that fit.
    pub fn capacity(&self) -> usize {
        self.data.as_ref().map_or(0, |data| data.len().saturating_sub(DATA_HEADER))
    }

    /// Who may upgrade it.
    pub fn authority(&self) -> Option<Pubkey> {
        // Number (4), slot (8), whether there is one (1), the key.
        let data = self.data.as_ref()?;
        let present = *data.get(12)? == 1;
        present.then(|| data.get(13..45).and_then(|key| Pubkey::try_from(key).ok())).flatten()
    }

    /// The slot in which it was deployed.
    pub fn slot(&self) -> Option<u64> {
        self.data.as_ref()?.get(4..12)?.try_into().ok().map(u64::from_le_bytes)
    }

    /// Whether it is this code, apart from zeros at the end.
    pub fn is(&self, code: &[u8]) -> bool {
        let Some(deployed) = self.data.as_ref().and_then(|data| data.get(DATA_HEADER..)) else { return false };
        deployed.len() >= code.len()
            && deployed[..code.len()] == *code
            && deployed[code.len()..].iter().all(|byte| *byte == 0)
    }
}

/// Where the program's data is.
pub fn data_address() -> Pubkey {
    get_program_data_address(&PROGRAM_ID)
}

/// Where the buffer is.
pub fn buffer_address(authority: &Pubkey) -> Pubkey {
    Pubkey::create_with_seed(authority, BUFFER_SEED, &LOADER).expect("a short seed")
}

/// What has to be done with the program's bytes.
#[derive(Clone, Debug)]
pub struct ProgramStep {
    /// The code.
    pub code: Vec<u8>,
    /// Whether the program is there already.
    pub upgrade: bool,
    /// Bytes by which the program's data account has to grow before an upgrade; 0 for none.
    pub extend_by: u32,
}

/// The step that deploys or upgrades, unless the cluster runs this code.
///
/// # Errors
/// See [`ProgramError`].
pub fn plan(found: &Found, roles: &Roles, code: &[u8]) -> Result<Option<Step>, PlanError> {
    let deployed = &found.program;
    if code.get(..4) != Some(b"\x7fELF") {
        return Err(ProgramError::NotElf.into());
    }
    let data_rent = found.rent.of(DATA_HEADER + code.len());
    let buffer = format!("through buffer {}", buffer_address(&roles.upgrade_authority));
    let Some(owner) = deployed.owner else {
        let key = roles.program.ok_or(ProgramError::NoKey)?;
        if key != PROGRAM_ID {
            return Err(ProgramError::WrongKey(key).into());
        }
        let rent = data_rent + found.rent.of(UpgradeableLoaderState::size_of_program());
        let step = ProgramStep { code: code.to_vec(), upgrade: false, extend_by: 0 };
        let authority = format!("upgrade authority {}", roles.upgrade_authority);
        return Ok(Some(Step {
            what: format!("deploy program {PROGRAM_ID}, {} bytes", code.len()),
            details: vec![authority, buffer],
            rent,
            action: Action::Program(step),
        }));
    };
    if owner != LOADER {
        return Err(ProgramError::Owner(owner).into());
    }
    if deployed.is(code) {
        return Ok(None);
    }
    let found_authority = deployed.authority().ok_or(ProgramError::Final)?;
    if found_authority != roles.upgrade_authority {
        return Err(ProgramError::Authority { found: found_authority, given: roles.upgrade_authority }.into());
    }
    let missing = code.len().saturating_sub(deployed.capacity());
    let extend_by = if missing == 0 { 0 } else { missing.max(MIN_EXTENSION) };
    let mut details =
        vec![format!("deployed in slot {}, room for {} bytes", deployed.slot().unwrap_or(0), deployed.capacity())];
    if extend_by > 0 {
        details.push(format!("extended by {extend_by} bytes first"));
    }
    let lent = found.rent.of(BUFFER_HEADER + code.len());
    details.push(format!("{buffer}, whose rent of {} comes back", crate::plan::sol(lent)));
    let extend = u32::try_from(extend_by).expect("a program has less than 10 megabytes");
    Ok(Some(Step {
        what: format!("upgrade program {PROGRAM_ID} to {} bytes", code.len()),
        details,
        rent: found.rent.of(extend_by).saturating_sub(found.rent.of(0)),
        action: Action::Program(ProgramStep { code: code.to_vec(), upgrade: true, extend_by: extend }),
    }))
}

/// Creates the buffer, unless it is there; in several instructions, as with slabs. `lamports` is what is still missing.
pub fn create_buffer(roles: &Roles, bytes: usize, lamports: u64) -> Vec<Instruction> {
    let authority = &roles.upgrade_authority;
    let buffer = buffer_address(authority);
    // `usize` has at most 64 bits wherever this runs.
    let space = (BUFFER_HEADER + bytes) as u64;
    let mut all = Vec::new();
    if lamports > 0 {
        all.push(system::transfer(&roles.payer, &buffer, lamports));
    }
    all.push(system::allocate_with_seed(&buffer, authority, BUFFER_SEED, space, &LOADER));
    // The loader's first instruction: the buffer, and who may write to it.
    let accounts = vec![
        solana_instruction::AccountMeta::new(buffer, false),
        solana_instruction::AccountMeta::new_readonly(*authority, false),
    ];
    all.push(Instruction { program_id: LOADER, accounts, data: 0u32.to_le_bytes().to_vec() });
    all
}

/// Writes a chunk into the buffer.
pub fn write(roles: &Roles, offset: usize, chunk: &[u8]) -> Instruction {
    let authority = &roles.upgrade_authority;
    let offset = u32::try_from(offset).expect("a program has less than 10 megabytes");
    loader::write(&buffer_address(authority), authority, offset, chunk.to_vec())
}

/// Closes a buffer that is of no use; its rent goes to the payer.
pub fn close_buffer(roles: &Roles) -> Instruction {
    let authority = &roles.upgrade_authority;
    loader::close(&buffer_address(authority), &roles.payer, authority, false)
}

/// Makes the buffer the new program.
pub fn deploy(found: &Found, roles: &Roles, bytes: usize) -> Vec<Instruction> {
    let authority = &roles.upgrade_authority;
    let lamports = found.rent.of(UpgradeableLoaderState::size_of_program());
    let buffer = buffer_address(authority);
    loader::deploy_with_max_program_len(&roles.payer, &PROGRAM_ID, &buffer, authority, lamports, bytes, true)
        .expect("the loader's own instruction")
}

/// Makes the buffer the program's code.
pub fn upgrade(roles: &Roles) -> Instruction {
    let authority = &roles.upgrade_authority;
    loader::upgrade(&PROGRAM_ID, &buffer_address(authority), authority, &roles.payer, true)
}

/// Makes room for a larger program.
pub fn extend(roles: &Roles, by: u32) -> Instruction {
    loader::extend_program(&PROGRAM_ID, Some(&roles.payer), by)
}

/// The chunks, of at most `size` bytes, in which a buffer's contents differ from the code.
pub fn missing_chunks(buffer: &[u8], code: &[u8], size: usize) -> Vec<usize> {
    let written = buffer.get(BUFFER_HEADER..).unwrap_or(&[]);
    let differs = |offset: &usize| {
        let end = (offset + size).min(code.len());
        written.get(*offset..end) != Some(&code[*offset..end])
    };
    (0..code.len()).step_by(size).filter(differs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Rent;

    fn roles() -> Roles {
        let key = |byte| Pubkey::new_from_array([byte; 32]);
        Roles { payer: key(1), admin: key(2), upgrade_authority: key(3), program: Some(PROGRAM_ID) }
    }

    fn deployed(code: &[u8], authority: Option<Pubkey>, spare: usize) -> Found {
        let mut data = vec![3, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, u8::from(authority.is_some())];
        data.extend_from_slice(authority.unwrap_or_default().as_ref());
        data.extend_from_slice(code);
        data.resize(data.len() + spare, 0);
        let program = Deployed { owner: Some(LOADER), data: Some(data) };
        Found { rent: Rent::new(100, 107), program, ..Found::default() }
    }

    fn code(length: usize) -> Vec<u8> {
        let mut code = b"\x7fELF".to_vec();
        code.resize(length, 7);
        code
    }

    #[test]
    fn the_same_bytes_are_not_deployed_again() {
        let found = deployed(&code(500), Some(roles().upgrade_authority), 77);
        assert!(plan(&found, &roles(), &code(500)).unwrap().is_none());
        assert!(plan(&found, &roles(), &code(499)).unwrap().is_some());
    }

    #[test]
    fn a_larger_program_extends_its_account_first() {
        let found = deployed(&code(500), Some(roles().upgrade_authority), 0);
        let extension = |length| match plan(&found, &roles(), &code(length)).unwrap().unwrap().action {
            Action::Program(ProgramStep { upgrade: true, extend_by, .. }) => extend_by,
            other => panic!("{other:?}"),
        };
        assert_eq!((extension(400), extension(501), extension(20_500)), (0, 10_240, 20_000));
    }

    #[test]
    fn what_cannot_be_upgraded_is_refused_with_the_reason() {
        let error = |found: &Found, roles: &Roles| plan(found, roles, &code(600)).unwrap_err().to_string();
        let other = Pubkey::new_from_array([9; 32]);
        assert!(error(&deployed(&code(500), None, 0), &roles()).contains("no upgrade authority"));
        assert!(error(&deployed(&code(500), Some(other), 0), &roles()).contains(&other.to_string()));
        let nothing = Found::default();
        assert!(error(&nothing, &Roles { program: None, ..roles() }).contains("--program-keypair"));
        assert!(error(&nothing, &Roles { program: Some(other), ..roles() }).contains("compiled as"));
        assert!(plan(&nothing, &roles(), b"MZ").unwrap_err().to_string().contains("ELF"));
        assert!(plan(&nothing, &roles(), &code(600)).unwrap().is_some());
    }

    #[test]
    fn missing_chunks_are_those_that_differ() {
        let code = code(2_500);
        let mut buffer = vec![0; BUFFER_HEADER];
        buffer.extend_from_slice(&code);
        assert!(missing_chunks(&buffer, &code, 1_000).is_empty());
        buffer[BUFFER_HEADER + 1_500] ^= 1;
        *buffer.last_mut().unwrap() ^= 1;
        assert_eq!(missing_chunks(&buffer, &code, 1_000), [1_000, 2_000]);
        assert_eq!(missing_chunks(&[], &code, 1_000), [0, 1_000, 2_000]);
    }
}
