/* The memory layout of the plugin interface as this compiler sees it, in C. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* One line of text: "perdure_task.run 48 8" (offset, size), "perdure_task 64" (size) or "PERDURE_OK = 0"; null past the
 * last. Valid until the next call. */
const char* layout_line(int number);

#ifdef __cplusplus
}
#endif
