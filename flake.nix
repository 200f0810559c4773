{
  description = "Percept: an OpenAI- and Ollama-compatible router that gives any model eyes and ears";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ];
      forEach = make: nixpkgs.lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});

      # What Percept runs with, what it sees and hears with, and what compiles better-sqlite3 12 where its prebuilt
      # file cannot be had.
      tools = pkgs: [
        pkgs.coreutils
        pkgs.nodejs_22
        pkgs.ffmpeg-headless
        pkgs.yt-dlp
        pkgs.whisper-cpp
        pkgs.python3
        pkgs.gnumake
        pkgs.stdenv.cc
      ];
    in
    {
      # nix develop
      devShells = forEach (pkgs: {
        default = pkgs.mkShell { packages = tools pkgs; };
      });

      # nix run: the sources are copied to where packages can be installed beside them, once for each version; the
      # lock's checksums hold for every package. What is kept goes to DATA_DIR, here by default.
      packages = forEach (pkgs: {
        default = pkgs.writeShellApplication {
          name = "percept";
          runtimeInputs = tools pkgs;
          text = ''
            home="''${XDG_CACHE_HOME:-$HOME/.cache}/percept/${builtins.baseNameOf self.outPath}"
            if [ ! -e "$home/package.json" ]; then
              mkdir -p "$(dirname "$home")"
              coming=$(mktemp -d "$home.XXXXXX")
              cp -R ${self.outPath}/. "$coming"
              chmod -R u+w "$coming"
              mv -T "$coming" "$home" || rm -rf "$coming"
            fi
            export DATA_DIR="''${DATA_DIR:-$PWD/data}"
            exec node --max-semi-space-size=32 "$home/scripts/start.mjs" "$@"
          '';
        };
      });

      apps = forEach (pkgs: {
        default = {
          type = "app";
          program = "${self.packages.${pkgs.stdenv.hostPlatform.system}.default}/bin/percept";
        };
      });
    };
}
