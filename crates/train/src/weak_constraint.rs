//! Weak-constraint training: states at the data's times are unknowns beside the parameters.

mod affine_layers;
mod component_splines;
mod fit;
mod flow;
mod gauss_newton;
mod gradient_matching;
mod kalman;
mod network_scales;
mod nodes;
mod parameter_map;
mod ridge;
mod setup;
#[cfg(test)]
mod tests;
