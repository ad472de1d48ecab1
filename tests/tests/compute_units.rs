//! No instruction costs grossly more than when its limit was set. `cargo xtask bench` prints the figures beside the budgets;
//! this only fails where something went wrong.

use ballast_tests::costs::{Cost, Extent, PARTS, Unit};
