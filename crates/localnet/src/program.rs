//! Putting a compiled program at a chosen address, without its key and without the upgrade of a hundred transactions.

use std::{path::PathBuf, str::FromStr};

use solana_account::Account;
use solana_pubkey::Pubkey;

use crate::{LocalnetError, control::Control};

/// The upgradeable loader, which owns every program deployed here.
const LOADER: Pubkey = Pubkey::from_str_const("BPFLoaderUpgradeab1e11111111111111111111111");
/// The loader's number for a program account, and its length: the number and the address of the program's data.
const PROGRAM: (u32, usize) = (2, 36);
/// The loader's number for a program's data, and its header's length: number, slot, upgrade authority and its presence.
const PROGRAM_DATA: (u32, usize) = (3, 45);

/// A compiled program and where to put it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramFile {
    /// The program's address.
    pub id: Pubkey,
    /// The `.so` file.
    pub path: PathBuf,
    /// Who may upgrade it afterwards, and whom programs therefore may trust with their first setup. `None` is nobody.
    pub upgrade_authority: Option<Pubkey>,
}

impl ProgramFile {
    /// Writes the two accounts that make up a deployed program.
    pub(crate) fn deploy(&self, control: &Control) -> Result<(), LocalnetError> {
        let code = std::fs::read(&self.path)
            .map_err(|source| LocalnetError::ProgramFile { path: self.path.clone(), source })?;
        let (data_address, _) = Pubkey::find_program_address(&[self.id.as_ref()], &LOADER);
        let program = program_account(&data_address);
        let (id, authority) = (self.id, self.upgrade_authority);
        control.change(move |svm| {
            // The data first: the node compiles a program when it meets the account that points to it. Slot 0, because
            // a program cannot be used in the slot of its deployment.
            let data = program_data_account(0, authority, &code);
            for (address, data, executable) in [(data_address, data, false), (id, program, true)] {
                let lamports = svm.inner.minimum_balance_for_rent_exemption(data.len());
                let account = Account { lamports, data, owner: LOADER, executable, rent_epoch: u64::MAX };
                svm.set_account(&address, account).map_err(|error| LocalnetError::Refused {
                    action: format!("deploy program {id}"),
                    reason: error.to_string(),
                })?;
            }
            Ok(())
        })?
    }
}

/// Reads `<address>=<path>`; the upgrade authority is nobody.
impl FromStr for ProgramFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (id, path) =
            text.split_once('=').ok_or_else(|| format!("expected <address>=<path to .so>, got {text:?}"))?;
        let id = id.parse().map_err(|error| format!("{id:?} is not a program address: {error}"))?;
        Ok(Self { id, path: PathBuf::from(path), upgrade_authority: None })
    }
}

fn program_account(data_address: &Pubkey) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PROGRAM.1);
    bytes.extend_from_slice(&PROGRAM.0.to_le_bytes());
    bytes.extend_from_slice(data_address.as_ref());
    bytes
}

fn program_data_account(slot: u64, authority: Option<Pubkey>, code: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PROGRAM_DATA.1 + code.len());
    bytes.extend_from_slice(&PROGRAM_DATA.0.to_le_bytes());
    bytes.extend_from_slice(&slot.to_le_bytes());
    bytes.push(u8::from(authority.is_some()));
    bytes.extend_from_slice(authority.unwrap_or_default().as_ref());
    bytes.extend_from_slice(code);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_named_by_address_and_path() {
        let id = Pubkey::new_from_array([7; 32]);
        let program: ProgramFile = format!("{id}=target/deploy/ballast.so").parse().unwrap();
        assert_eq!(program, ProgramFile { id, path: "target/deploy/ballast.so".into(), upgrade_authority: None });
    }

    #[test]
    fn a_program_without_an_address_is_refused() {
        let error = "target/deploy/ballast.so".parse::<ProgramFile>().unwrap_err();
        assert_eq!(error, "expected <address>=<path to .so>, got \"target/deploy/ballast.so\"");
    }

    #[test]
    fn the_loader_finds_its_fields() {
        let authority = Pubkey::new_from_array([9; 32]);
        let data = program_data_account(5, Some(authority), b"ELF");
        assert_eq!(data.len(), PROGRAM_DATA.1 + 3);
        assert_eq!(data[..13], [3, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!(data[13..45], authority.to_bytes());
        assert_eq!(program_account(&authority).len(), PROGRAM.1);
    }
}
