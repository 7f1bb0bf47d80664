# The tests of the command line run the program itself.
if(TARGET test_cli AND TARGET accelerate_program)
  add_dependencies(test_cli accelerate_program)
  target_compile_definitions(test_cli PRIVATE ACCELERATE_PROGRAM="$<TARGET_FILE:accelerate_program>")
endif()
