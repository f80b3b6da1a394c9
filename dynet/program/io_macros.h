// The macros by which classes took part in the archives of DyNet 2.0 and before, which are gone: they vanish.
// TextFileSaver and TextFileLoader save and load a collection.
#pragma once

#define DYNET_SERIALIZE_IMPL(...)
#define DYNET_SAVELOAD_IMPL(...)
#define DYNET_SERIALIZE_COMMIT(...)
#define DYNET_SERIALIZE_FUN(...)
#define DYNET_SERIALIZE_DEFINE(...)
#define DYNET_SERIALIZE_DERIVED_DEFINE(...)
#define DYNET_SERIALIZE_DERIVED_EQ_DEFINE(...)
#define DYNET_SERIALIZE_SAVE_DEFINE(...)
#define DYNET_SERIALIZE_LOAD_DEFINE(...)
#define DYNET_NINTRUSIVE_SERIALIZE_DEFINE(...)
#define DYNET_NINTRUSIVE_SERIALIZE_COMMIT(...)
#define DYNET_VERSION_DEFINE(...)
#define DYNET_VERSION_SERIALIZE_DEFINE(...)
#define DYNET_VERSION_SERIALIZE_COMMIT(...)
