#include "cli/execute.hpp"

int main(int argc, char** argv) { return accelerate::cli::run_program(argc, argv); }
