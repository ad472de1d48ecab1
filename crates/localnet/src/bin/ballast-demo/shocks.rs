//! Shocks that somebody types: `AVAX -30`.

use std::{
    io::{BufRead, stdin},
    sync::mpsc::{Receiver, channel},
    thread,
};

/// A market's price moves by so many per cent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shock {
    /// The market's index.
    pub market: usize,
    /// Per cent, between −90 and 500.
    pub percent: f64,
}

/// Reads shocks from standard input until it ends, and says what is wrong with a line that is none.
pub fn listen(symbols: Vec<String>) -> Receiver<Shock> {
    let (tell, shocks) = channel();
    // Ends with the process: nothing interrupts the reading of a terminal.
    thread::spawn(move || {
        for line in stdin().lock().lines().map_while(Result::ok).filter(|line| !line.trim().is_empty()) {
            match parse(&line, &symbols) {
                Ok(shock) if tell.send(shock).is_ok() => {}
                Ok(_) => return,
                Err(problem) => eprintln!("{problem}"),
            }
        }
    });
    shocks
}

fn parse(line: &str, symbols: &[String]) -> Result<Shock, String> {
    let expected = || format!("expected a market and per cent, such as `{} -10`; got {line:?}", symbols.join("|"));
    let mut words = line.split_whitespace();
    let (Some(symbol), Some(percent), None) = (words.next(), words.next(), words.next()) else {
        return Err(expected());
    };
    let market = symbols.iter().position(|known| known.eq_ignore_ascii_case(symbol)).ok_or_else(expected)?;
    let percent: f64 = percent.trim_end_matches('%').parse().map_err(|_| expected())?;
    if (-90.0..=500.0).contains(&percent) {
        Ok(Shock { market, percent })
    } else {
        Err(format!("{percent} % is not between -90 % and 500 %"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shock_is_a_market_and_per_cent() {
        let symbols = ["BTC".to_owned(), "AVAX".to_owned()];
        assert_eq!(parse(" avax  -30% ", &symbols), Ok(Shock { market: 1, percent: -30.0 }));
        assert_eq!(parse("BTC 2.5", &symbols), Ok(Shock { market: 0, percent: 2.5 }));
        for wrong in ["", "BTC", "DOGE 1", "BTC much", "BTC 1 2"] {
            assert!(parse(wrong, &symbols).unwrap_err().contains("BTC|AVAX"), "{wrong}");
        }
        for wrong in ["BTC -95", "BTC 1e9", "BTC nan"] {
            assert!(parse(wrong, &symbols).unwrap_err().contains("not between"), "{wrong}");
        }
    }
}
