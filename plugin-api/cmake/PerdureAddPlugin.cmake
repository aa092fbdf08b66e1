# perdure_add_plugin(<name> <sources>... [LIBS <libraries>...]): a target <name> that is the plugin <name>.so.
#
# A module that exports its entry point and nothing else (plugin.map), without unique symbols, without a "lib" in front,
# and complete: a symbol that nobody defines is an error here and not at load time. C++ sources get the SDK with its own,
# hidden Boost.JSON; a plugin of C sources only gets the C header. The file lands in PERDURE_PLUGIN_OUTPUT_DIR, by default
# <build>/plugins.
function(perdure_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBS")
  set(sources ${arg_UNPARSED_ARGUMENTS})
  if(NOT sources)
    message(FATAL_ERROR "perdure_add_plugin(${name}): no sources given")
  endif()
  set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
  set(output ${PERDURE_PLUGIN_OUTPUT_DIR})
  if(NOT output)
    set(output ${PROJECT_BINARY_DIR}/plugins)
  endif()

  add_library(${name} MODULE ${sources})
  set(cxx_sources ${sources})
  list(FILTER cxx_sources EXCLUDE REGEX "\\.c$")
  if(cxx_sources)
    target_link_libraries(${name} PRIVATE Perdure::sdk ${arg_LIBS})
  else()
    target_link_libraries(${name} PRIVATE Perdure::abi ${arg_LIBS})
  endif()
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique> -ffunction-sections
                                         -fdata-sections)
  target_link_options(${name} PRIVATE LINKER:--version-script=${map} LINKER:--exclude-libs,ALL
                                      LINKER:--gc-sections LINKER:--as-needed)
  if(NOT PERDURE_SANITIZE)  # the sanitizers' run-time library is found in the executable
    target_link_options(${name} PRIVATE LINKER:-z,defs)
  endif()
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so" OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${output} LINK_DEPENDS ${map}
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON POSITION_INDEPENDENT_CODE ON)
endfunction()
