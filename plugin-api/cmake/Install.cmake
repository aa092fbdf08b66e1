# What `cmake --install` gives to authors of plugins: headers, the Boost.JSON that plugins carry, find_package(Perdure)
# and perdure.pc, perdure-client.pc. The prefix may be moved afterwards.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(PERDURE_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/Perdure)
set(PERDURE_DATADIR ${CMAKE_INSTALL_DATADIR}/perdure)

install(DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR}/include/perdure DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES $<TARGET_FILE:perdure_json> DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/boost_json.cpp options.schema.json DESTINATION ${PERDURE_DATADIR})

configure_package_config_file(cmake/PerdureConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/PerdureConfig.cmake
  INSTALL_DESTINATION ${PERDURE_CMAKE_DIR}
  PATH_VARS CMAKE_INSTALL_BINDIR CMAKE_INSTALL_INCLUDEDIR CMAKE_INSTALL_LIBDIR PERDURE_DATADIR)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/PerdureConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/PerdureConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/PerdureConfigVersion.cmake
              cmake/PerdureAddPlugin.cmake cmake/plugin.map
        DESTINATION ${PERDURE_CMAKE_DIR})

file(RELATIVE_PATH PERDURE_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/perdure.pc.in perdure.pc @ONLY)
configure_file(cmake/perdure-client.pc.in perdure-client.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/perdure.pc ${CMAKE_CURRENT_BINARY_DIR}/perdure-client.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
