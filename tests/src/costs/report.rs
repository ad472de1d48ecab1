//! Figures for people and for programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::Cost;

/// An aligned table; budgets that are missed say so.
pub fn table(costs: &[Cost]) -> String {
    let width = |text: fn(&Cost) -> String| costs.iter().map(|cost| text(cost).len()).max().unwrap_or(0);
    let names = costs.iter().map(|cost| cost.name.chars().count()).max().unwrap_or(0);
    let figures = width(|cost| thousands(cost.measured)).max("measured".len());
    let units = width(|cost| cost.unit.to_string()).max("unit".len());
    let budgets = width(|cost| cost.budget.map_or_else(String::new, thousands)).max("budget".len());
    let mut lines =
        format!("{:<names$}  {:>figures$}  {:<units$}  {:>budgets$}\n", "what", "measured", "unit", "budget");
    for cost in costs {
        let verdict = match (cost.budget, cost.missed()) {
            (None, _) => "",
            (Some(_), false) => "ok",
            (Some(_), true) => "MISSED",
        };
        let line = format!(
            "{:<names$}  {:>figures$}  {:<units$}  {:>budgets$}  {verdict}",
            cost.name,
            thousands(cost.measured),
            cost.unit.to_string(),
            cost.budget.map_or_else(String::new, thousands),
        );
        // Writing to a string does not fail.
        let _ = writeln!(lines, "{}", line.trim_end());
    }
    lines
}

/// An array of objects with `name`, `measured`, `budget` (null where there is none) and `unit`.
pub fn json(costs: &[Cost]) -> String {
    let object = |cost: &Cost| {
        json!({
            "name": cost.name,
            "measured": cost.measured,
            "budget": cost.budget,
            "unit": cost.unit.to_string(),
        })
    };
    format!("{:#}\n", Value::Array(costs.iter().map(object).collect()))
}

/// With a comma after every three digits.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::costs::Unit;

    fn costs() -> Vec<Cost> {
        vec![
            Cost::units("kept", 1_600).at_most(1_600),
            Cost::units("not kept", 1_234_567).at_most(1_600),
            Cost::new("nothing decided", 7, Unit::Cells),
        ]
    }

    #[test]
    fn a_budget_is_kept_up_to_its_limit() {
        let expected = "\
what              measured  unit   budget
kept                 1,600  CU      1,600  ok
not kept         1,234,567  CU      1,600  MISSED
nothing decided          7  cells
";
        assert_eq!(table(&costs()), expected);
    }

    #[test]
    fn programs_read_every_figure() {
        let read: Value = serde_json::from_str(&json(&costs())).unwrap();
        assert_eq!(read[1], json!({ "name": "not kept", "measured": 1_234_567, "budget": 1_600, "unit": "CU" }));
        assert_eq!(read[2]["budget"], Value::Null);
    }
}
