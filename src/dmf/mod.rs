//! dmf
