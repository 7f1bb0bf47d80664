// The program ipfs-accelerate-probe, started by the library for each probe.
#include "hardware/probe_program.hpp"

int main(int argc, char** argv) { return accelerate::hardware::run_probe_program(argc, argv); }
