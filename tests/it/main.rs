//! The tests, in the same folders as `src`. They are compiled into the library's own test binary, so
//! the library can keep its modules to itself. What is about the program alone is in `tests/program.rs`.

mod aws;
mod browser;
mod checks;
mod connections;
mod database;
mod doctor;
mod documents;
mod events;
mod files;
mod fuzz;
mod http;
mod keys;
mod layers;
mod moving;
mod people;
mod projects;
mod setups;
mod start;
mod storages;
mod support;
mod worlds;
