# Run at every build: writes OUTPUT from TEMPLATE with VERSION, COMPILER and the commit that SOURCE stands at.
set(REVISION "no git")
find_program(GIT git)
if(GIT)
  execute_process(
    COMMAND ${GIT} --no-optional-locks describe --always --dirty --abbrev=10
    WORKING_DIRECTORY ${SOURCE}
    OUTPUT_VARIABLE described
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(described)
    set(REVISION ${described})
  endif()
endif()
configure_file(${TEMPLATE} ${OUTPUT} @ONLY)
