// A library under a driver's name that has none of its functions.
extern "C" __attribute__((visibility("default"))) int a_driver_of_another_time() { return 0; }
