//! The indexer's command line.

fn main() {
    print!("{}", ballast_indexer::api::description());
}
