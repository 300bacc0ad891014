/**
 * Loads the addon in a program of musl's and has it register its functions, whose names are printed.
 *
 * `scripts/musl-test.mjs` compiles it, together with functions that do nothing in place of those that Node provides.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>

typedef void *(*register_function)(void *env, void *exports);

int napi_set_named_property(void *env, void *object, const char *name, void *value) {
  (void)env, (void)object, (void)value;
  return printf("%s\n", name) < 0;
}

int main(int count, char **words) {
  if (count != 2) return 2;
  void *addon = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
  if (addon == NULL) return fprintf(stderr, "%s\n", dlerror()), 1;
  register_function start = (register_function)dlsym(addon, "napi_register_module_v1");
  if (start == NULL) return fprintf(stderr, "%s\n", dlerror()), 1;
  start(NULL, NULL);
  return 0;
}
