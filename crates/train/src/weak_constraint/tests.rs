mod constant_maps;
mod dense;
mod linear_problem;
mod losses;
mod own_priors;
mod parameter_maps;
mod scales;
mod threads;
