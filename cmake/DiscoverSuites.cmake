# Run after PROGRAM is linked: writes OUTPUT, a ctest entry PREFIX.Suite for each GoogleTest suite in it. EMULATOR runs
# a program of another machine; empty for one of this.
# A program that was linked a moment ago can still be busy: then it is asked again.
foreach(try RANGE 20)
  execute_process(
    COMMAND ${EMULATOR} ${PROGRAM} --gtest_list_tests
    OUTPUT_VARIABLE listing
    RESULT_VARIABLE status
    TIMEOUT 60)
  if(NOT status MATCHES "busy")
    break()
  endif()
  execute_process(COMMAND ${CMAKE_COMMAND} -E sleep 0.2)
endforeach()
if(NOT status EQUAL 0)
  file(REMOVE ${PROGRAM})
  message(FATAL_ERROR "${PROGRAM} could not list its tests (${status}):\n${listing}")
endif()

# Tests neither read nor write what was measured and found for their user.
set(script "")
set(command "")
foreach(word ${EMULATOR} ${PROGRAM})
  string(APPEND command " [=[${word}]=]")
endforeach()
string(REGEX MATCHALL "(^|\n)[^ \n]+\\.( +#[^\n]*)?\n" suites "${listing}")
foreach(line ${suites})
  string(REGEX REPLACE "^\n?([^ \n]+)\\..*$" "\\1" suite "${line}")
  if(suite MATCHES "DISABLED_")
    continue()
  endif()
  string(APPEND script "add_test([=[${PREFIX}.${suite}]=]${command} [=[--gtest_filter=${suite}.*]=])\n"
         "set_tests_properties([=[${PREFIX}.${suite}]=] PROPERTIES TIMEOUT 900"
         " ENVIRONMENT [=[ACCELERATE_RECORDS=off;ACCELERATE_CACHE=off]=])\n")
endforeach()
if(NOT script)
  file(REMOVE ${PROGRAM})
  message(FATAL_ERROR "${PROGRAM} has no tests")
endif()
file(WRITE ${OUTPUT} "${script}")
