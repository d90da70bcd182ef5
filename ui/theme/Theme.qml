// The look of Paluku in one place: four palettes (light, dark, and both in high contrast), spaces,
// radii, type roles and durations. Nothing else in ui/ may hold a colour, a size or a duration.
// Main.qml binds the four inputs below; every other property follows from them.
// A colour row reads: light, dark, high contrast light, high contrast dark.
// No token name may begin with "on" + capital letter: QML would take it for a signal handler.
pragma Singleton
import QtQuick

QtObject {
    id: theme

    property bool dark: false
    property bool highContrast: false
    property bool reducedMotion: false
    property real textScale: 1.0

    readonly property int palette: (highContrast ? 2 : 0) + (dark ? 1 : 0)

    function pick(light: color, dark: color, contrastLight: color, contrastDark: color): color {
        return [light, dark, contrastLight, contrastDark][theme.palette]
    }

    // Surfaces
    readonly property color window: pick("#ECEEEB", "#10131A", "#FFFFFF", "#000000")
    readonly property color page: pick("#FBFBF8", "#161A23", "#FFFFFF", "#000000")
    readonly property color raised: pick("#FFFFFF", "#202632", "#FFFFFF", "#0B0B0B")
    readonly property color leaf: pick("#E9EEF7", "#1D2738", "#FFFFFF", "#000000")
    readonly property color code: pick("#F1F2EE", "#0F131A", "#FFFFFF", "#000000")
    readonly property color hover: pick("#DFE3DF", "#222A38", "#E6E6E6", "#1F1F1F")
    readonly property color selected: pick("#D3DEF2", "#273753", "#FFE9A8", "#3A3000")
    readonly property color line: pick("#D6DAD4", "#2C3443", "#000000", "#FFFFFF")
    readonly property color edge: pick("#767E7C", "#75819A", "#000000", "#FFFFFF")
    readonly property color scrim: "#66000000"
    readonly property color clear: "#00000000"

    // Text
    readonly property color ink: pick("#1A1E26", "#E7E9EE", "#000000", "#FFFFFF")
    readonly property color ink2: pick("#474F5B", "#B6BDCA", "#000000", "#FFFFFF")
    readonly property color ink3: pick("#585F6B", "#98A2B3", "#2B2B2B", "#E0E0E0")

    // The three dyes and neem
    readonly property color indigo: pick("#2B4C86", "#A9C1F4", "#002B7F", "#A8C8FF")
    readonly property color indigoHover: pick("#223E70", "#BDD0F8", "#001A4D", "#CFE0FF")
    readonly property color indigoPress: pick("#1A3159", "#CEDCFA", "#000000", "#FFFFFF")
    readonly property color inkOnIndigo: pick("#FFFFFF", "#0E1A30", "#FFFFFF", "#000000")
    readonly property color turmeric: pick("#A87407", "#DDAE3F", "#6B4800", "#FFD24A")
    readonly property color turmericInk: pick("#734D00", "#E8BE5B", "#4F3500", "#FFD24A")
    readonly property color turmericWash: pick("#F7EACB", "#33290F", "#FFFFFF", "#000000")
    readonly property color madder: pick("#A12B22", "#F2A397", "#8A0000", "#FFB3A8")
    readonly property color madderHover: pick("#85211A", "#F6B8AF", "#5C0000", "#FFD2CB")
    readonly property color inkOnMadder: pick("#FFFFFF", "#33100C", "#FFFFFF", "#000000")
    readonly property color madderWash: pick("#FAE7E3", "#371C1B", "#FFFFFF", "#000000")
    readonly property color neem: pick("#27663C", "#8ECB9B", "#00401A", "#8CF0A5")
    readonly property color neemWash: pick("#E2F0E4", "#182B20", "#FFFFFF", "#000000")

    // Focus, selection, matches
    readonly property color ring: pick("#2B4C86", "#A9C1F4", "#000000", "#FFD60A")
    readonly property color selBg: pick("#BFD2F5", "#35528C", "#000000", "#FFFFFF")
    readonly property color selInk: pick("#10141C", "#FFFFFF", "#FFFFFF", "#000000")
    readonly property color found: pick("#FBE3A0", "#5A4814", "#FFE9A8", "#5A4A00")
    readonly property color foundNow: pick("#E2A51B", "#E3B64C", "#000000", "#FFD60A")
    readonly property color inkOnFound: pick("#14171D", "#171204", "#FFFFFF", "#000000")

    // Code
    readonly property color synKeyword: pick("#2B4C86", "#A9C1F4", "#002B7F", "#A8C8FF")
    readonly property color synString: pick("#27663C", "#8ECB9B", "#00401A", "#8CF0A5")
    readonly property color synNumber: pick("#734D00", "#E8BE5B", "#4F3500", "#FFD24A")
    readonly property color synComment: pick("#585F6B", "#98A2B3", "#2B2B2B", "#E0E0E0")
    readonly property color synType: pick("#7A2E63", "#DDA6CE", "#520039", "#FFB8E8")
    readonly property color synFunction: pick("#125E6B", "#83C6D2", "#003A44", "#8CE9FA")
    // In the order of CodeKind.
    readonly property list<color> syntax: [synKeyword, synString, synNumber, synComment, synType, synFunction]

    // Shadow steps of a composer; black, as elevation has no hue. High contrast has borders only.
    readonly property color shade: "#000000"
    readonly property real shadeOpacity: highContrast ? 0 : (dark ? 0.12 : 0.022)
    readonly property int shadeSteps: 3
    readonly property real disabledOpacity: 0.45
    readonly property real dropVeil: 0.9

    // Spaces
    readonly property int s4: 4
    readonly property int s8: 8
    readonly property int s12: 12
    readonly property int s16: 16
    readonly property int s24: 24
    readonly property int s32: 32
    readonly property int s48: 48

    // Radii
    readonly property int radiusChip: 4
    readonly property int radiusControl: 8
    readonly property int radiusCode: 10
    readonly property int radiusLeaf: 12
    readonly property int radiusPanel: 14

    // Strokes
    readonly property int hairline: 1
    readonly property int stroke: 2
    readonly property int bar: 3

    // Icons and controls; heights that hold text grow with the text scale
    readonly property int icon: 16
    readonly property int iconSend: 18
    readonly property int dot: 6
    readonly property int hit: 32
    readonly property int send: 36
    readonly property int headerHeight: scaled(52)
    readonly property int rowHeight: scaled(38)
    readonly property int footerRowHeight: scaled(36)
    readonly property int menuRowHeight: scaled(34)
    readonly property int pickerRowHeight: scaled(52)
    readonly property int codeHeadHeight: scaled(36)
    readonly property int controlHeight: scaled(36)
    readonly property int chipHeight: scaled(32)
    readonly property int switchWidth: 36
    readonly property int switchHeight: 20
    readonly property int knob: 16
    readonly property int track: 4
    readonly property int scrollBar: 10
    readonly property int scrollHandle: 6
    readonly property int scrollHandleLeast: 32

    // Layout
    readonly property int wideFrom: 1100
    readonly property int mediumFrom: 720
    readonly property int namesInMarginFrom: 800
    readonly property int windowWidth: 1280
    readonly property int windowHeight: 800
    readonly property int windowLeastWidth: 360
    readonly property int windowLeastHeight: 480
    readonly property int lowWindow: 560
    readonly property int foldedLines: 24
    readonly property int lineRoom: 100000 // for a line of code, which does not wrap
    readonly property int sidebarWide: 264
    readonly property int sidebarMedium: 232
    readonly property int sidebarLeast: 220
    readonly property int sidebarMost: 360
    readonly property int drawerMost: 300
    readonly property int drawerRest: 56
    readonly property int measure: scaled(600)
    // Of a few centred lines, so that the last one is not a word alone.
    readonly property int measureShort: scaled(450)
    readonly property int nameColumn: 136
    readonly property int nameGap: 32
    readonly property int overhang: 16
    readonly property int overhangNarrow: 14
    readonly property int edgeNarrow: 8
    readonly property int turnGap: 26
    readonly property int cellWidth: scaled(320)
    readonly property int blockGap: 12
    // Documents stand low in their lines; inside a padded box they are raised by this.
    readonly property int documentRise: Math.round((body.editBaseline - body.textBaseline) / 2)
    readonly property int listIndent: 24
    readonly property int quoteIndent: 20
    readonly property int pageWidth: 720
    readonly property int settingsSections: 200
    readonly property int settingsGroups: 520
    readonly property int pickerWidth: 360
    readonly property int pickerRows: 6
    readonly property int dialogWidth: 440
    readonly property int tipWidth: 320
    readonly property int menuWidth: 220
    readonly property int meterWidth: 220
    readonly property int meterNarrow: 120
    readonly property int meterFrom: scaled(540)
    readonly property int meterHeight: 8
    readonly property int meterSliver: 5
    readonly property int fieldWidth: 200
    readonly property int areaHeight: scaled(120)
    readonly property real composerShare: 0.4
    readonly property int stickDistance: 24
    readonly property int wheelStep: 72

    // Type roles: size, line height in pixels (fixed, so that mixed scripts keep equal lines), weight
    readonly property string codeFamily: "Noto Sans Mono"
    readonly property TypeRole display: TypeRole { scale: theme.textScale; baseSize: 28; baseLine: 44; bold: true }
    readonly property TypeRole title: TypeRole { scale: theme.textScale; baseSize: 20; baseLine: 32; bold: true }
    readonly property TypeRole heading: TypeRole { scale: theme.textScale; baseSize: 17; baseLine: 28; bold: true }
    readonly property TypeRole body: TypeRole { scale: theme.textScale; baseSize: 16; baseLine: 27 }
    readonly property TypeRole bodyBold: TypeRole { scale: theme.textScale; baseSize: 16; baseLine: 27; bold: true }
    readonly property TypeRole reasoning: TypeRole { scale: theme.textScale; baseSize: 14; baseLine: 24 }
    readonly property TypeRole ui: TypeRole { scale: theme.textScale; baseSize: 14; baseLine: 22 }
    readonly property TypeRole uiBold: TypeRole { scale: theme.textScale; baseSize: 14; baseLine: 22; bold: true }
    readonly property TypeRole headerTitle: TypeRole { scale: theme.textScale; baseSize: 15; baseLine: 24; bold: true }
    readonly property TypeRole label: TypeRole { scale: theme.textScale; baseSize: 13; baseLine: 20 }
    readonly property TypeRole labelBold: TypeRole { scale: theme.textScale; baseSize: 13; baseLine: 20; bold: true }
    readonly property TypeRole caption: TypeRole { scale: theme.textScale; baseSize: 12; baseLine: 18 }
    readonly property TypeRole captionBold: TypeRole { scale: theme.textScale; baseSize: 12; baseLine: 18; bold: true }
    readonly property TypeRole codeText: TypeRole { scale: theme.textScale; baseSize: 14; baseLine: 22; family: theme.codeFamily }

    function scaled(pixels: int): int {
        return Math.round(pixels * theme.textScale)
    }

    // Durations in milliseconds; reduced motion makes every one of them nought
    readonly property int quick: reducedMotion ? 0 : 90
    readonly property int normal: reducedMotion ? 0 : 140
    readonly property int slow: reducedMotion ? 0 : 200
    readonly property int tipDelay: 600
    readonly property int frame: 16
    readonly property int copiedFor: 2000
}
