# One room of the house: a static library `dropscore_NAME` (alias dropscore::NAME) made of sources listed by name, and
# the tests and micro-benchmarks that lie beside them.
#
#   room(NAME SOURCES a.cc ... DEPENDS dropscore::base fmt::fmt ... [PRIVATE lib ...] TESTS a_test.cc ... BENCHES a_bench.cc ...)
#
# tools/check_rooms.py holds the includes against the table of rooms and the *_test.cc on disk against those built.
include(GoogleTest)

# Of a room's test: one that takes longer hangs. With the thread sanitizer, on a busy machine, some take six minutes.
set(TEST_TIMEOUT_S 300)
if(DROPSCORE_SANITIZE)
  set(TEST_TIMEOUT_S 1800)
endif()

function(room NAME)
  cmake_parse_arguments(ROOM "" "" "SOURCES;DEPENDS;PRIVATE;TESTS;BENCHES" ${ARGN})
  set(target dropscore_${NAME})
  add_library(${target} STATIC ${ROOM_SOURCES})
  add_library(dropscore::${NAME} ALIAS ${target})
  target_include_directories(${target} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${target} PUBLIC ${ROOM_DEPENDS} PRIVATE ${ROOM_PRIVATE})
  if(DROPSCORE_TESTS AND ROOM_TESTS)
    add_executable(${NAME}_test ${ROOM_TESTS})
    target_include_directories(${NAME}_test PRIVATE ${CMAKE_SOURCE_DIR})  # tests/support
    target_link_libraries(${NAME}_test PRIVATE dropscore::${NAME} ${ROOM_PRIVATE} rapidcheck GTest::gmock GTest::gtest_main)
    gtest_discover_tests(${NAME}_test TEST_PREFIX ${NAME}/ PROPERTIES TIMEOUT ${TEST_TIMEOUT_S} DISCOVERY_TIMEOUT 60)
  endif()
  if(DROPSCORE_BENCH AND ROOM_BENCHES)
    add_executable(${NAME}_bench ${ROOM_BENCHES})
    target_include_directories(${NAME}_bench PRIVATE ${CMAKE_SOURCE_DIR})  # tests/support
    target_link_libraries(${NAME}_bench PRIVATE dropscore::${NAME} ${ROOM_PRIVATE} benchmark::benchmark benchmark::benchmark_main)
  endif()
endfunction()
