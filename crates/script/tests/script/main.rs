//! The script language: values, messages, mistakes, the example of every function.

mod arrays;
mod classic_problems;
mod configs;
mod data;
mod errors;
mod events;
mod gradients;
mod landscape;
mod messages;
