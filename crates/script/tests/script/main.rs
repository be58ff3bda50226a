//! The script language: values, messages, mistakes, the example of every function.

mod arrays;
mod bad_input;
mod classic_problems;
mod common;
mod configs;
mod data;
mod errors;
mod events;
mod gradients;
mod landscape;
