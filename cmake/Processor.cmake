# On Debian, compiles for the processor that DROPSCORE_ARCH names as Debian does; without it, or for this machine's own, it
# changes nothing:
#   cmake -S . -B build/arm64 -G Ninja -DCMAKE_TOOLCHAIN_FILE=cmake/Processor.cmake -DDROPSCORE_ARCH=arm64
# `tools/setup.sh serving arm64` installs the compiler and that processor's libraries. Tests run under qemu-user-static.
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES DROPSCORE_ARCH)
execute_process(COMMAND dpkg --print-architecture OUTPUT_VARIABLE own_arch OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT DROPSCORE_ARCH OR DROPSCORE_ARCH STREQUAL own_arch)
  return()
endif()

if(DROPSCORE_ARCH STREQUAL "arm64")
  set(CMAKE_SYSTEM_PROCESSOR aarch64)
elseif(DROPSCORE_ARCH STREQUAL "amd64")
  set(CMAKE_SYSTEM_PROCESSOR x86_64)
else()
  message(FATAL_ERROR "DROPSCORE_ARCH is amd64 or arm64, not ${DROPSCORE_ARCH}")
endif()
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER ${CMAKE_SYSTEM_PROCESSOR}-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER ${CMAKE_SYSTEM_PROCESSOR}-linux-gnu-g++)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/${CMAKE_SYSTEM_PROCESSOR}-linux-gnu/pkgconfig:/usr/share/pkgconfig)

find_program(EMULATOR qemu-${CMAKE_SYSTEM_PROCESSOR}-static)
if(EMULATOR)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${EMULATOR})
endif()
