# perdure_add_plugin(<name> <sources>... [LIBS <libraries>...]): a target <name> that is the plugin <name>.so.
#
# A module that exports its entry point and nothing else (plugin.map), without unique symbols, without a "lib" in front,
# and complete: a symbol that nobody defines is an error here and not at load time. C++ sources get the SDK with its own,
# hidden Boost.JSON; a plugin of C sources only gets the C header. A plugin in Rust names its crate's root, x.rs, and is
# compiled by rustc without cargo (with PERDURE_RUSTC_FLAGS besides); a panic in it is a crash of its attempt. The file
# lands in PERDURE_PLUGIN_OUTPUT_DIR, by default <build>/plugins, and is the target's property PERDURE_PLUGIN_FILE.
function(perdure_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBS")
  set(sources ${arg_UNPARSED_ARGUMENTS})
  if(NOT sources)
    message(FATAL_ERROR "perdure_add_plugin(${name}): no sources given")
  endif()
  set(output ${PERDURE_PLUGIN_OUTPUT_DIR})
  if(NOT output)
    set(output ${PROJECT_BINARY_DIR}/plugins)
  endif()
  if(sources MATCHES "\\.rs(;|$)")
    perdure_add_rust_plugin(${name} ${output} "${arg_LIBS}" ${sources})
    return()
  endif()

  set(map ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/plugin.map)
  set(interface Perdure::sdk)
  set(cxx_sources ${sources})
  list(FILTER cxx_sources EXCLUDE REGEX "\\.(c|h|s|S|o)$")
  if(NOT cxx_sources)
    set(interface Perdure::abi)
  elseif(NOT TARGET Perdure::sdk)
    message(FATAL_ERROR "perdure_add_plugin(${name}): ${cxx_sources} is C++, and Perdure was found by a project without it; "
                        "write project(... LANGUAGES CXX) before find_package(Perdure)")
  endif()
  add_library(${name} MODULE ${sources})
  target_link_libraries(${name} PRIVATE ${interface} ${arg_LIBS})
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique> -ffunction-sections
                                         -fdata-sections)
  target_link_options(${name} PRIVATE LINKER:--version-script=${map} LINKER:--exclude-libs,ALL
                                      LINKER:--gc-sections LINKER:--as-needed)
  if(NOT PERDURE_SANITIZE)  # the sanitizers' run-time library is found in the executable
    target_link_options(${name} PRIVATE LINKER:-z,defs)
  endif()
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so" OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${output} LINK_DEPENDS ${map}
    C_VISIBILITY_PRESET hidden CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON POSITION_INDEPENDENT_CODE ON
    PERDURE_PLUGIN_FILE $<TARGET_FILE:${name}>)
endfunction()

# The same for Rust; `libs` must be empty, and `root` is the crate's root among the sources.
function(perdure_add_rust_plugin name output libs root)
  if(libs)
    message(FATAL_ERROR "perdure_add_plugin(${name}): LIBS is for C and C++; in Rust, say #[link(name = \"...\")]")
  endif()
  find_program(PERDURE_RUSTC rustc)
  if(NOT PERDURE_RUSTC)
    message(FATAL_ERROR "perdure_add_plugin(${name}): ${root} needs rustc, which is not in PATH; install Rust, or set "
                        "PERDURE_RUSTC")
  endif()
  set(file ${output}/${name}.so)
  set(depfile ${CMAKE_CURRENT_BINARY_DIR}/${name}.d)  # names the crate's modules
  string(REGEX REPLACE "[^A-Za-z0-9_]" "_" crate ${name})
  add_custom_command(
    OUTPUT ${file}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${output}
    COMMAND ${PERDURE_RUSTC} --edition 2021 --crate-type cdylib --crate-name ${crate} -C panic=abort
            $<IF:$<CONFIG:Debug>,-Copt-level=0,-Copt-level=2> $<IF:$<CONFIG:Debug>,-Cdebuginfo=2,-Cdebuginfo=1>
            ${PERDURE_RUSTC_FLAGS} --emit link=${file},dep-info=${depfile} ${CMAKE_CURRENT_SOURCE_DIR}/${root}
    MAIN_DEPENDENCY ${root} DEPFILE ${depfile}
    COMMENT "Compiling ${name}.so" VERBATIM)
  add_custom_target(${name} ALL DEPENDS ${file})
  set_target_properties(${name} PROPERTIES PERDURE_PLUGIN_FILE ${file})
endfunction()
