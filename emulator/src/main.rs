//! d365-sandbox
fn main() {}
