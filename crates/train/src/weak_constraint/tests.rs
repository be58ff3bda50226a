mod dense;
mod linear_problem;
mod parameter_maps;
mod scales;
mod threads;
