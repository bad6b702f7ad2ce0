# Puts the text of the framework runners into the program, so that it needs no files of its own. Sets
# TIEOUT_RUNNERS to the source file.
foreach(runner torch_runner keras_runner)
  set(file ${PROJECT_SOURCE_DIR}/python/tieout_runner/${runner}.py)
  file(READ ${file} TIEOUT_${runner})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
endforeach()
set(TIEOUT_RUNNERS ${PROJECT_BINARY_DIR}/generated/runners.cpp)
configure_file(${PROJECT_SOURCE_DIR}/cmake/runners.cpp.in ${TIEOUT_RUNNERS} @ONLY)
