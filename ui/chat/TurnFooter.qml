// The end of an answer: how it ended if not by itself, then copy, say again and figures. The actions always
// take their room and are seen on hover, with the focus, or at the last turn.
import QtQuick
import Paluku
import PalukuApp

FocusScope {
    id: footer

    required property ChatController chat
    required property string turnId
    required property int turnState
    required property string stateText
    required property string figures
    required property bool canRetry
    required property bool canContinue
    required property bool shown
    required property bool stops
    readonly property int policy: stops ? Qt.StrongFocus : Qt.ClickFocus
    property bool copied: false
    readonly property bool streaming: turnState === TranscriptModel.Streaming
    readonly property bool failed: turnState === TranscriptModel.Failed

    implicitHeight: column.height

    Column {
        id: column

        width: parent.width
        spacing: Theme.s8

        InlineError {
            width: parent.width
            visible: footer.failed
            text: footer.stateText
            action: footer.canContinue ? qsTr("Continue") : footer.canRetry ? qsTr("Try again") : ""
            onActed: footer.canContinue ? footer.chat.continueTurn(footer.turnId) : footer.chat.regenerateTurn(footer.turnId)
        }
        Row {
            visible: !footer.failed && footer.stateText.length > 0
            spacing: Theme.s8

            Icon {
                anchors.verticalCenter: parent.verticalCenter
                icon: footer.turnState === TranscriptModel.Stopped ? "stop" : "info"
                color: Theme.ink3
            }
            UiText {
                anchors.verticalCenter: parent.verticalCenter
                width: Math.min(implicitWidth, footer.width - Theme.s24 - (proceed.visible ? proceed.width + Theme.s8 : 0))
                wrapMode: Text.Wrap
                role: Theme.caption
                color: Theme.ink3
                text: footer.stateText
            }
            Button {
                id: proceed

                visible: footer.canContinue
                enabled: !footer.chat.busy
                focusPolicy: footer.policy
                kind: Button.Plain
                iconName: "continue"
                text: qsTr("Continue")
                onClicked: footer.chat.continueTurn(footer.turnId)
            }
        }
        Row {
            id: actions

            x: -Theme.s8
            height: Theme.hit
            opacity: !footer.streaming && (footer.shown || footer.activeFocus) ? 1 : 0
            visible: !footer.streaming || footer.figures.length > 0
            spacing: Theme.s4

            IconButton {
                focus: true
                focusPolicy: footer.policy
                enabled: !footer.streaming
                iconName: footer.copied ? "check" : "copy"
                text: footer.copied ? qsTr("Copied") : qsTr("Copy")
                key: "Ctrl+C"
                KeyNavigation.right: again
                onClicked: {
                    footer.chat.copyTurn(footer.turnId);
                    footer.copied = true;
                    copiedTimer.restart();
                }
            }
            IconButton {
                id: again

                focusPolicy: footer.policy
                enabled: !footer.chat.busy
                iconName: "again"
                text: qsTr("Say again")
                key: "Ctrl+R"
                onClicked: footer.chat.regenerateTurn(footer.turnId)
            }
            UiText {
                leftPadding: Theme.s8
                anchors.verticalCenter: parent.verticalCenter
                role: Theme.caption
                color: Theme.ink3
                text: footer.figures
            }
        }
    }
    Timer {
        id: copiedTimer

        interval: Theme.copiedFor
        onTriggered: footer.copied = false
    }
}
