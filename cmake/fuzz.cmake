# The fuzz targets, with libFuzzer: one for each container (fuzz/containers/NAME.cpp) and one for each format, which all
# are fuzz/format.cpp. Found by name, so that a new format has its target.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "libFuzzer comes with clang: ./dev fuzz")
endif()
target_compile_options(tieout_flags INTERFACE -fsanitize=fuzzer-no-link)
add_custom_target(fuzz)

function(fuzz_target name source library)
  add_executable(fuzz_${name} EXCLUDE_FROM_ALL ${source})
  target_include_directories(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(fuzz_${name} PRIVATE ${library})
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  set_target_properties(fuzz_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY
                                                ${PROJECT_BINARY_DIR}/targets)
  add_dependencies(fuzz fuzz_${name})
endfunction()

file(GLOB containers CONFIGURE_DEPENDS fuzz/containers/*.cpp)
foreach(source IN LISTS containers)
  get_filename_component(name ${source} NAME_WE)
  fuzz_target(container_${name} ${source} tieout_containers)
endforeach()
file(GLOB formats CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/src/formats src/formats/*/format.cpp)
foreach(source IN LISTS formats)
  get_filename_component(name ${source} DIRECTORY)
  fuzz_target(${name} fuzz/format.cpp tieout_formats)
  target_compile_definitions(fuzz_${name} PRIVATE TIEOUT_FORMAT=${name})
endforeach()
