//! Long runs, started by `make soak`; what they found is told in docs/soak.md.
