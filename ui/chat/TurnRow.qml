// One row of the transcript: a block of a turn, or the footer that ends an answer. It places the name
// of the speaker, gives the block its room and knows where in its text a point lies.
// qmllint disable unqualified
import QtQuick
import Paluku
import PalukuApp

Item {
    id: entry

    required property ChatController chat
    required property Columns frame
    required property bool turnFocused
    required property bool turnHovered
    required property bool ringShown

    required property int index
    required property string turnId
    required property int kind
    required property bool isUser
    required property string speaker
    required property string speakerFull
    required property bool firstInTurn
    required property bool lastInTurn
    required property bool lastTurn
    required property string text
    required property var spans
    required property string accessibleText
    required property int level
    required property string marker
    required property int listDepth
    required property int quoteDepth
    required property string language
    required property bool cut
    required property string fold
    required property list<string> cells
    required property int columns
    required property list<int> alignments
    required property string label
    required property int turnState
    required property string stateText
    required property string figures
    required property bool canRetry
    required property bool canContinue

    signal hoverChanged(bool hovered)

    readonly property int indent: (quoteDepth * Theme.quoteIndent) + (listDepth * Theme.listIndent)
    readonly property int topGap: firstInTurn ? Theme.turnGap : kind === TranscriptModel.ListItem ? Theme.s4 : Theme.blockGap
    readonly property TypeRole firstRole: kind !== TranscriptModel.Heading ? Theme.body : level === 1 ? Theme.title : Theme.heading
    readonly property int leafTop: isUser ? Theme.s12 - Theme.documentRise : 0
    readonly property bool nameAbove: firstInTurn && !frame.namesInMargin
    readonly property int contentTop: topGap + (nameAbove ? Theme.labelBold.line + Theme.s4 : 0)

    implicitHeight: contentTop + block.height + (lastInTurn ? (lastTurn ? Theme.s24 : Theme.s4) : 0)
    Accessible.role: Accessible.ListItem
    Accessible.name: speaker
    Accessible.description: accessibleText

    // Offset in the text under a point of this row; -1 where controls lie.
    function positionAt(x: real, y: real): int {
        const body = block.item as BlockBody;
        return body ? body.positionAt(mapToItem(body, x, y)) : -1;
    }
    function focusControls(): void {
        (block.item as Item).forceActiveFocus(Qt.TabFocusReason);
    }

    HoverHandler {
        onHoveredChanged: entry.hoverChanged(hovered)
    }
    Loader {
        active: entry.firstInTurn
        sourceComponent: UiText {
            role: Theme.labelBold
            color: entry.isUser ? Theme.indigo : Theme.ink2
            text: entry.frame.namesInMargin ? entry.speaker : entry.speakerFull
            elide: Text.ElideRight
            horizontalAlignment: entry.frame.namesInMargin ? Text.AlignRight : Text.AlignLeft
            width: entry.frame.namesInMargin ? Theme.nameColumn - Theme.nameGap : entry.frame.measure
            x: entry.frame.textLeft - (entry.frame.namesInMargin ? Theme.nameColumn : 0)
            y: entry.frame.namesInMargin ? entry.contentTop + entry.leafTop + entry.firstRole.editBaseline - Theme.labelBold.textBaseline : entry.topGap - Theme.s4
        }
    }
    Repeater {
        model: entry.quoteDepth

        Rectangle {
            required property int index

            x: entry.frame.textLeft + index * Theme.quoteIndent
            y: entry.contentTop - (entry.firstInTurn ? 0 : Theme.stroke)
            width: Theme.bar
            height: block.height + 2 * Theme.stroke
            color: Theme.edge
        }
    }
    UiText {
        visible: entry.marker.length > 0
        x: block.x - width - Theme.s8
        y: entry.contentTop + Theme.body.editBaseline - Theme.body.textBaseline
        role: Theme.body
        color: entry.quoteDepth > 0 ? Theme.ink2 : Theme.ink
        text: entry.marker
    }
    Loader {
        id: block

        x: entry.frame.textLeft + entry.indent
        y: entry.contentTop
        width: entry.frame.measure - entry.indent
        sourceComponent: [leaf, reasoning, words, words, words, code, table, rule, footer][entry.kind]
    }
    FocusEdges {
        anchors.fill: parent
        anchors.topMargin: entry.firstInTurn ? entry.topGap - Theme.s8 : 0
        anchors.leftMargin: entry.frame.textLeft - (entry.frame.namesInMargin ? Theme.nameColumn : entry.frame.overhang + Theme.s4)
        anchors.rightMargin: entry.width - entry.frame.textLeft - entry.frame.measure - entry.frame.overhang - Theme.s4
        visible: entry.ringShown
        first: entry.firstInTurn
        last: entry.lastInTurn
    }

    Component {
        id: leaf

        UserLeaf {
            row: entry.index
            chat: entry.chat
            text: entry.text
            overhang: entry.frame.overhang
        }
    }
    Component {
        id: words

        WordsBlock {
            row: entry.index
            chat: entry.chat
            text: entry.text
            spans: entry.spans
            quiet: entry.quoteDepth > 0
            role: entry.firstRole
            cut: entry.cut
        }
    }
    Component {
        id: reasoning

        ReasoningBlock {
            row: entry.index
            chat: entry.chat
            text: entry.text
            label: entry.label
        }
    }
    Component {
        id: code

        CodeBlock {
            row: entry.index
            chat: entry.chat
            text: entry.text
            language: entry.language
            stops: entry.turnFocused
            cut: entry.cut
            fold: entry.fold
        }
    }
    Component {
        id: table

        TableBlock {
            row: entry.index
            chat: entry.chat
            text: entry.text
            cells: entry.cells
            columnCount: entry.columns
            alignments: entry.alignments
        }
    }
    Component {
        id: rule

        RuleBlock {
            row: entry.index
            chat: entry.chat
            text: entry.text
        }
    }
    Component {
        id: footer

        TurnFooter {
            chat: entry.chat
            turnId: entry.turnId
            turnState: entry.turnState
            stateText: entry.stateText
            figures: entry.figures
            canRetry: entry.canRetry
            canContinue: entry.canContinue
            stops: entry.turnFocused
            shown: entry.lastTurn || entry.turnHovered || entry.turnFocused
        }
    }
}
