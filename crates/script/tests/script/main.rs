//! Tests of the script language: values, messages, errors, the example of every function.

#[cfg(unix)]
mod access;
mod arrays;
mod batch_solving;
mod choosing;
mod classic_problems;
mod configs;
mod data;
mod errors;
mod events;
mod exports;
mod figures;
mod found_equations;
mod gradients;
mod known_constants;
mod landscape;
mod mass_matrices;
mod messages;
mod numerics;
mod public_reports;
mod steps;
mod support;
