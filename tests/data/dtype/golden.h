// Made by make_golden.py with the gguf package; do not edit.
// clang-format off
struct Golden {
  const char* type;
  int scale_bytes[2];  // with the top exponent bit cleared; -1: none
  unsigned long long hash;
  float sample[3];
};
inline constexpr int kGoldenBlocks = 10000;
inline constexpr Golden kGolden[] = {
    {"Q4_0", {1, -1}, 0x05c9e1dd90686b25ull, {-0.000000000e+00f, 9.487304688e+00f, -1.328222656e+01f}},
    {"Q4_1", {1, 3}, 0x291ca5b6df690f10ull, {-1.555223465e+00f, -4.437732697e-01f, -4.437732697e-01f}},
    {"Q5_0", {1, -1}, 0x4b3c57f2113e3d25ull, {-3.158569336e+00f, 6.317138672e-01f, 2.947998047e+00f}},
    {"Q5_1", {1, 3}, 0xb519e39d714b0ff7ull, {-2.351999283e-04f, 2.333521843e-04f, -7.706880569e-04f}},
    {"Q8_0", {1, -1}, 0x3cd2562a3099e1a5ull, {3.607177734e-01f, 5.365676880e-01f, -7.214355469e-02f}},
    {"Q2_K", {81, 83}, 0x44a1ac9c61a5f6f7ull, {5.312500000e+00f, 1.593750000e+01f, 5.312500000e+00f}},
    {"Q3_K", {109, -1}, 0xbe6ddd404d943fa5ull, {-2.441406250e+00f, 0.000000000e+00f, 6.103515625e-01f}},
    {"Q4_K", {1, 3}, 0x3575384a92da1c23ull, {-2.555767822e+01f, -5.159576416e+01f, -4.415631104e+01f}},
    {"Q5_K", {1, 3}, 0xbb0f3a339b550429ull, {-1.093053818e-02f, 2.264199257e-01f, 1.275238991e-01f}},
    {"Q6_K", {209, -1}, 0x73525231b1a941dbull, {1.453417969e+02f, -4.360253906e+02f, -4.602490234e+02f}},
    {"IQ4_NL", {1, -1}, 0xc8f8453fabbc71a5ull, {-8.160233498e-03f, 3.405451775e-03f, 1.606345177e-03f}},
    {"IQ4_XS", {1, -1}, 0x3509a7e42c2db76bull, {-3.028106689e+00f, 9.776458740e+00f, 9.776458740e+00f}},
    {"IQ2_XXS", {1, -1}, 0x797998645e4d2485ull, {-3.089237213e-02f, -3.089237213e-02f, -3.089237213e-02f}},
    {"IQ2_XS", {1, -1}, 0x17f0770578a3db39ull, {4.394531250e-01f, 1.373291016e+00f, -4.394531250e-01f}},
    {"IQ2_S", {1, -1}, 0x14f60a67e1f300f1ull, {7.218933105e+00f, 2.310058594e+00f, 7.218933105e+00f}},
    {"IQ3_XXS", {1, -1}, 0x3ff5680bb709ec15ull, {3.601928711e+01f, 2.161157227e+01f, 2.161157227e+01f}},
    {"IQ3_S", {1, -1}, 0x96067ea9ff1dc975ull, {1.604681396e+01f, -1.458801270e+00f, -1.604681396e+01f}},
    {"IQ1_S", {1, -1}, 0x698a99db41009b85ull, {8.189964294e-02f, -6.369972229e-02f, 8.189964294e-02f}},
    {"IQ1_M", {55, -1}, 0xc7b2c7d62cc427c5ull, {-6.733089685e-04f, 9.618699551e-05f, 9.618699551e-05f}},
    {"MXFP4", {0, -1}, 0x64dba0c83996cb25ull, {1.310720000e+05f, -1.966080000e+05f, 1.638400000e+04f}},
    {"NVFP4", {-1, -1}, 0x8cedd21799237325ull, {-8.750000000e-01f, 0.000000000e+00f, 2.625000000e+00f}},
    {"F16", {-1, -1}, 0xa29fcd307f1d2325ull, {1.000000000e+00f, 1.000976562e+00f, 1.001953125e+00f}},
    {"BF16", {-1, -1}, 0xae864f38855e2325ull, {7.812500000e-03f, 7.873535156e-03f, 7.934570312e-03f}},
};
struct GoldenWritten {
  const char* type;
  bool heavy;
  unsigned long long hash;  // of the bytes
};
inline constexpr GoldenWritten kGoldenWritten[] = {
    {"F16", false, 0x4988f70eb34e7afeull},
    {"F16", true, 0x75cbf1b3f1256f22ull},
    {"BF16", false, 0xcad8f457b95b056eull},
    {"BF16", true, 0x2497b7dca8ecb5ecull},
    {"Q8_0", false, 0x5890fb7cecf792bdull},
    {"Q8_0", true, 0x60a3a9c85a49a9e8ull},
    {"Q4_0", false, 0xe11ee908b263e518ull},
    {"Q4_0", true, 0x048a21402ef39211ull},
    {"Q5_0", false, 0x126da226c5bac1e0ull},
    {"Q5_0", true, 0x3aca50bfa7af9423ull},
    {"Q4_1", false, 0x6be0f660eca3aab2ull},
    {"Q4_1", true, 0x6bdaae4f07f45de6ull},
    {"Q5_1", false, 0x70d92eb5d14c57bbull},
    {"Q5_1", true, 0xdc309d47269cd83eull},
};
struct PlainError {
  const char* type;
  bool heavy;
  double nmse;
};
inline constexpr PlainError kPlainErrors[] = {
    {"Q4_K", false, 5.674952e-03},
    {"Q4_K", true, 1.228431e-02},
    {"Q5_K", false, 1.363476e-03},
    {"Q5_K", true, 2.899688e-03},
    {"Q6_K", false, 3.236549e-04},
    {"Q6_K", true, 5.858206e-04},
    {"IQ4_NL", false, 6.035014e-03},
    {"IQ4_NL", true, 8.477575e-03},
    {"IQ4_XS", false, 6.045876e-03},
    {"IQ4_XS", true, 8.578069e-03},
};
// clang-format on
